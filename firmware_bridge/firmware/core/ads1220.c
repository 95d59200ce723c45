/* ADS1220: 24-bit bridge converter on SPI, 20 to 2000 conversions a second, continuous, ratiometric to REFP0/REFN0.

   DRDY falls when a conversion is ready and rises with the first clock of its read; 24 clocks with DIN low shift it
   out. The bridge is at AIN0 (+) and AIN1 (-). Each transfer is inside one chip select. */
#include "converter.h"
#include "hal.h"
#include "protocol.h"

enum { RESET = 0x06, START = 0x08, READ_REGISTERS = 0x23, WRITE_REGISTERS = 0x43 }; /* all four registers, from 0 */
enum { REGISTERS = 4, RESET_US = 100 };
enum { CONTINUOUS = 0x04, TURBO = 0x10, REFERENCE_PINS = 0x40 };

static const struct {
    uint16_t rate_sps;
    uint8_t bits; /* register 1: rate in 7..5, turbo mode in 4 */
} rates[] = {
    { 20, 0x00 },  { 45, 0x20 },  { 90, 0x40 },  { 175, 0x60 },  { 330, 0x80 },  { 600, 0xa0 },
    { 1000, 0xc0 }, { 1200, 0xa0 | TURBO }, { 2000, 0xc0 | TURBO },
};
enum { RATES = sizeof rates / sizeof rates[0], NONE = 0xff };

static uint8_t rate_bits(uint16_t rate_sps)
{
    for (uint8_t i = 0; i < RATES; i++) {
        if (rates[i].rate_sps == rate_sps) {
            return rates[i].bits;
        }
    }
    return NONE;
}

static bool accepts(uint8_t gain, uint16_t rate_sps)
{
    return gain && !(gain & (gain - 1)) && rate_bits(rate_sps) != NONE; /* 1, 2, 4 ... 128 */
}

static void command(uint8_t byte)
{
    hal_spi_select(true);
    hal_spi_exchange(byte);
    hal_spi_select(false);
}

static bool start(uint8_t gain, uint16_t rate_sps)
{
    uint8_t gain_bits = 0;
    while (gain >>= 1) {
        gain_bits += 0x02;
    }
    const uint8_t registers[REGISTERS] = { gain_bits, rate_bits(rate_sps) | CONTINUOUS, REFERENCE_PINS, 0 };

    command(RESET);
    hal_wait_us(RESET_US);
    hal_spi_select(true);
    hal_spi_exchange(WRITE_REGISTERS);
    for (uint8_t i = 0; i < REGISTERS; i++) {
        hal_spi_exchange(registers[i]);
    }
    hal_spi_select(false);

    bool same = true;
    hal_spi_select(true);
    hal_spi_exchange(READ_REGISTERS);
    for (uint8_t i = 0; i < REGISTERS; i++) {
        same &= hal_spi_exchange(0) == registers[i];
    }
    hal_spi_select(false);
    command(START);
    return same;
}

static uint8_t read(int32_t *raw)
{
    uint32_t word = 0;
    hal_spi_select(true);
    for (uint8_t i = 0; i < 3; i++) {
        word = word << 8 | hal_spi_exchange(0);
    }
    hal_spi_select(false);
    *raw = (int32_t)(word << 8) >> 8;
    return hal_ready_is_low() ? FORCE_DESYNC : 0; /* no clock reached the chip, or the line is stuck */
}

const struct converter ads1220 = { ADC_ADS1220, accepts, start, read, 1, 15 }; /* its oscillator is within 2 % */
