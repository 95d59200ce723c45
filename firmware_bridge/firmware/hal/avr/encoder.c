/* Its interrupt comes before the clock's and the UART's, so a line that rings could shut out everything else. Hence a
   limit on how many edges may come within one round of the main loop: beyond it the interrupt stays off until the
   round is over, and that is counted as lost counts. A round takes under 1 ms, the fastest cable makes 50 edges in it. */
#include "encoder.h"

#include <avr/interrupt.h>
#include <util/atomic.h>

#include "../../core/bytes.h"
#include "board.h"

struct quadrature encoder;
static volatile uint8_t edges; /* since the last round */

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
        if (!(PCICR & _BV(ENCODER_ENABLE))) {
            quadrature_step(&encoder, lines());
            count_up(&encoder.illegal);
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
