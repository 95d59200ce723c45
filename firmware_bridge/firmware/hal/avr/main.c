/* Boot, and the main loop, which runs everything outside interrupts. */
#include <avr/cpufunc.h>
#include <avr/eeprom.h>
#include <avr/interrupt.h>
#include <avr/sleep.h>
#include <avr/wdt.h>
#include <util/atomic.h>

#include "../../core/app.h"
#include "../../core/control.h"
#include "../../core/converter.h"
#include "../../core/hal.h"
#include "../../core/stream.h"
#include "board.h"
#include "clock.h"
#include "converter_pins.h"
#include "encoder.h"
#include "uart.h"

const struct converter *const board_converter = &BOARD_CONVERTER;
const uint8_t board_gain = BOARD_GAIN;
const uint16_t board_rate_sps = BOARD_RATE_SPS;

struct hal_identity hal_identity;

/* Kept over a reset: what the C start-up code must not clear. */
#define KEPT __attribute__((section(".noinit")))
static KEPT uint8_t mcusr;
static KEPT uint8_t bootloader_r2;
static KEPT uint8_t watchdog_boots;

/* Optiboot clears MCUSR and leaves what it was in r2, so r2 is saved before anything uses it. */
__attribute__((naked, used, section(".init0"))) static void save_r2(void)
{
    __asm__ volatile("sts %0, r2" : "=m"(bootloader_r2));
}

/* After a watchdog reset the watchdog still runs, at its shortest period, until it is disabled. */
__attribute__((naked, used, section(".init3"))) static void stop_watchdog(void)
{
    mcusr = MCUSR;
    MCUSR = 0;
    wdt_disable();
}

static uint8_t reset_cause(void)
{
    enum { ALL = _BV(PORF) | _BV(EXTRF) | _BV(BORF) | _BV(WDRF) };
    if (mcusr & ALL) {
        return mcusr & ALL;
    }
    return bootloader_r2 & ~ALL ? 0 : bootloader_r2; /* not Optiboot: unknown */
}

/* Boots are counted in the EEPROM, except those by the watchdog: a loop of them would wear it out in hours. These are
   counted in RAM, which survives them, and in the low bits. */
static uint16_t boot_id(uint8_t cause)
{
    static uint16_t EEMEM stored;
    enum { WATCHDOG_BITS = 4 };
    uint16_t boots = eeprom_read_word(&stored);
    if (cause & _BV(WDRF)) {
        watchdog_boots++;
    } else {
        watchdog_boots = 0;
        eeprom_write_word(&stored, ++boots);
    }
    return boots << WATCHDOG_BITS | (watchdog_boots & (_BV(WATCHDOG_BITS) - 1));
}

struct hal_counters hal_counters(void)
{
    struct hal_counters counters;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
    {
        counters.samples_overrun = clock_samples_overrun;
        counters.encoder_illegal = encoder.illegal;
        counters.rx_overrun = uart_overrun;
    }
    return counters;
}

int main(void)
{
    uint8_t cause = reset_cause();
    hal_identity = (struct hal_identity){
        .mcu = BOARD_MCU,
        .reset_cause = cause,
        .boot_id = boot_id(cause),
        .serial = BOARD_SERIAL,
        .build = BOARD_BUILD,
        .cpu_khz = F_CPU / 1000,
    };
    uart_start();
    clock_start();
    encoder_start();
    converter_pins_start();
    set_sleep_mode(SLEEP_MODE_IDLE);
    sleep_enable();
    wdt_enable(WDTO_250MS);
    sei();
    app_start(hal_time_us());
    for (;;) {
        wdt_reset();
        clock_round_begins();
        encoder_breathe();
        while (uart_has_byte()) {
            control_receive(uart_take_byte());
        }
        while (clock_has_sample()) {
            struct clock_sample sample = clock_take_sample();
            stream_position(sample.index, sample.t_us, sample.count);
        }
        app_poll(hal_time_us());
        cli();
        while (!uart_has_byte() && !clock_has_sample() && !converter_is_ready() && !clock_round_is_due()) {
            sei(); /* takes effect after the next instruction, so no interrupt can slip in between */
            sleep_cpu();
            _NOP(); /* simavr serves interrupts one instruction later than the chip */
            cli();
        }
        sei();
    }
}
