/* Two encoder lines to a count: every edge counts one, a double step is counted as illegal. */
#ifndef QUADRATURE_H
#define QUADRATURE_H

#include <stdint.h>

struct quadrature {
    int32_t count;
    uint16_t illegal; /* transitions that skip a state: counts were lost. Saturating */
    uint8_t lines;    /* A in bit 0, B in bit 1 */
};

/* Take the new state of both lines. Static, because it is the inside of the busiest interrupt. */
static inline void quadrature_step(struct quadrature *encoder, uint8_t lines)
{
    enum { ILLEGAL = 2 };
    /* old state in bits 3..2, new in 1..0; up is 00 01 11 10, A before B */
    static const int8_t steps[16] = { 0, +1, -1, ILLEGAL, -1, 0, ILLEGAL, +1, +1, ILLEGAL, 0, -1, ILLEGAL, -1, +1, 0 };
    int8_t step = steps[(uint8_t)(encoder->lines << 2 | lines)];
    encoder->lines = lines;
    if (step == ILLEGAL) {
        if (encoder->illegal != UINT16_MAX) {
            encoder->illegal++;
        }
    } else {
        encoder->count += step;
    }
}

#endif
