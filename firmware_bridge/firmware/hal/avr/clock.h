/* Timer 1: the microsecond clock, and the grid on which positions are sampled. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>

extern uint16_t clock_samples_overrun; /* ticks that were due but not taken; read it with interrupts off */

void clock_start(void);
uint32_t clock_us_in_interrupt(void); /* as hal_time_us(), if interrupts are already off */

/* The main loop's rounds: at least one a millisecond while interrupts wake us, and one after each overflow. */
void clock_round_begins(void);
bool clock_round_is_due(void); /* with interrupts off */

struct clock_sample {
    uint16_t index;
    uint32_t t_us;
    int32_t count;
};
bool clock_has_sample(void);
struct clock_sample clock_take_sample(void); /* only if there is one */

#endif
