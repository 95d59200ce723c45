/* The encoder's interrupt has priority over the clock's and the UART's, so a ringing line could block everything else.
   So the edges within one round of the main loop are limited: above the limit the interrupt is off for a while, and
   this is counted as lost counts. A round takes about 1 ms, in which the fastest cable makes 50 edges. */
#include "encoder.h"

#include <avr/interrupt.h>
#include <stdbool.h>
#include <util/atomic.h>

#include "../../core/bytes.h"
#include "board.h"
#include "clock.h"

struct quadrature encoder;
static volatile uint8_t edges; /* since the last round; 256 are too many */
static bool silenced;
static uint32_t silenced_us;
#define SILENCE_US 5000

static inline uint8_t lines(void)
{
    return (ENCODER_PINS >> ENCODER_SHIFT) & 3;
}

ISR(ENCODER_vect)
{
    quadrature_step(&encoder, lines());
    if (++edges == 0) {
        PCICR &= ~_BV(ENCODER_ENABLE);
    }
}

void encoder_breathe(void)
{
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
    {
        edges = 0;
        if (PCICR & _BV(ENCODER_ENABLE)) {
            return;
        }
        uint32_t now_us = clock_us_in_interrupt();
        if (!silenced) {
            silenced = true;
            silenced_us = now_us;
            count_up(&encoder.illegal);
        } else if (now_us - silenced_us >= SILENCE_US) {
            silenced = false;
            quadrature_step(&encoder, lines());
            PCIFR = _BV(ENCODER_FLAG);
            PCICR |= _BV(ENCODER_ENABLE);
        }
    }
}

void encoder_start(void)
{
    ENCODER_PORT |= 3 << ENCODER_SHIFT; /* pull-ups: an open-collector encoder needs them, and a cut wire stays quiet */
    encoder.lines = lines();
    ENCODER_MASK = 3 << ENCODER_SHIFT;
    PCICR = _BV(ENCODER_ENABLE);
}
