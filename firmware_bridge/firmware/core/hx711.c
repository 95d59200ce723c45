/* HX711: 24-bit bridge converter with a clock and a data line, 10 or 80 conversions a second, set by a strap.

   DOUT falls when a conversion is ready. 24 pulses shift it out, highest bit first; one, two or three more choose
   channel and gain of the next one, and DOUT must be high from the 25th on. A clock high for 60 us resets the chip. */
#include "converter.h"
#include "hal.h"
#include "protocol.h"

enum { DATA_BITS = 24, POWER_DOWN_US = 100 };

static uint8_t gain_pulses = 1;

static bool accepts(uint8_t gain, uint16_t rate_sps)
{
    return (gain == 128 || gain == 64 || gain == 32) && rate_sps == board_rate_sps; /* the strap sets the rate */
}

static bool start(uint8_t gain, uint16_t rate_sps)
{
    (void)rate_sps;
    gain_pulses = gain == 128 ? 1 : gain == 64 ? 3 : 2;
    hal_clock_hold(POWER_DOWN_US);
    return true;
}

static uint8_t read(int32_t *raw)
{
    uint32_t word = 0;
    for (uint8_t i = 0; i < DATA_BITS; i++) {
        word = word << 1 | hal_clock_pulse();
    }
    uint8_t trailing_low = 0;
    for (uint8_t i = 0; i < gain_pulses; i++) {
        trailing_low |= !hal_clock_pulse();
    }
    *raw = (int32_t)(word << 8) >> 8;
    return trailing_low ? FORCE_DESYNC : 0;
}

const struct converter hx711 = { ADC_HX711, accepts, start, read, 4, 12 }; /* its oscillator may be 20 % fast */
