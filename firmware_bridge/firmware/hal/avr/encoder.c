/* Its interrupt comes before the clock's and the UART's, so a line that rings could shut out everything else. Hence a
   limit on how many edges may come within one round of the main loop: beyond it the interrupt stays off for a while,
   and that is counted as lost counts. A round takes about 1 ms, and the fastest cable makes 50 edges in that. */
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
    ENCODER_PORT |= 3 << ENCODER_SHIFT; /* pull-ups: an open-collector encoder needs them, a cut wire rests */
    encoder.lines = lines();
    ENCODER_MASK = 3 << ENCODER_SHIFT;
    PCICR = _BV(ENCODER_ENABLE);
}
