#include "converter_pins.h"

#include <avr/interrupt.h>
#include <util/atomic.h>
#include <util/delay.h>

#include "../../core/converter.h"
#include "../../core/hal.h"
#include "board.h"
#include "clock.h"

enum { EDGES_MAX = 8 }; /* after so many edges a ringing line is ignored */

static volatile uint8_t edges;
static volatile uint32_t last_us;

ISR(INT0_vect)
{
    last_us = clock_us_in_interrupt();
    if (++edges >= EDGES_MAX) {
        EIMSK &= ~_BV(INT0);
    }
}

bool hal_ready_is_low(void)
{
    return !(READY_PINS & _BV(READY_BIT));
}

void hal_ready_arm(void)
{
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
    {
        edges = 0;
        EIFR = _BV(INTF0);
        EIMSK |= _BV(INT0);
        if (hal_ready_is_low()) {
            EIFR = _BV(INTF0); /* the edge between the two lines above is this one */
            last_us = clock_us_in_interrupt();
            edges = 1;
        }
    }
}

struct hal_ready hal_ready_take(void)
{
    struct hal_ready taken;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
    {
        taken.last_us = last_us;
        taken.edges = edges;
        edges = 0;
        if (taken.edges) {
            EIMSK &= ~_BV(INT0);
        }
    }
    return taken;
}

bool converter_is_ready(void)
{
    return edges != 0;
}

uint8_t hal_clock_pulse(void)
{
    uint8_t level;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) /* high for 60 us would reset the chip, so no interrupt may come between */
    {
        CLOCK_PORT |= _BV(CLOCK_BIT);
        _delay_us(0.5);
        level = READY_PINS;
        CLOCK_PORT &= ~_BV(CLOCK_BIT);
    }
    return level & _BV(READY_BIT) ? 1 : 0;
}

void hal_clock_hold(uint8_t hold_us)
{
    CLOCK_PORT |= _BV(CLOCK_BIT);
    hal_wait_us(hold_us);
    CLOCK_PORT &= ~_BV(CLOCK_BIT);
}

void hal_wait_us(uint8_t wait_us)
{
    while (wait_us--) {
        _delay_us(1);
    }
}

void hal_spi_select(bool select)
{
    if (select) {
        SPI_PORT &= ~_BV(SPI_SELECT);
    } else {
        SPI_PORT |= _BV(SPI_SELECT);
    }
}

uint8_t hal_spi_exchange(uint8_t byte)
{
    SPDR = byte;
    while (!(SPSR & _BV(SPIF))) {
    }
    return SPDR;
}

void converter_pins_start(void)
{
    READY_PORT |= _BV(READY_BIT); /* pull-up: a missing converter is never ready */
    EICRA = _BV(ISC01);           /* falling edge */
    if (board_converter->type == ADC_ADS1220) {
        SPI_PORT |= _BV(SPI_SELECT) | _BV(SPI_IN);
        SPI_DIRECTION |= _BV(SPI_SELECT) | _BV(SPI_OUT) | _BV(SPI_CLOCK);
        SPCR = _BV(SPE) | _BV(MSTR) | _BV(CPHA); /* mode 1, 4 MHz */
    } else {
        CLOCK_DIRECTION |= _BV(CLOCK_BIT);
    }
}
