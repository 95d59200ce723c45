/* Timer 1 counts half microseconds and never stops, so stamps are exact: a sample has the time of its compare match,
   not of its interrupt. */
#include "clock.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

#include "../../core/bytes.h"
#include "../../core/hal.h"
#include "encoder.h"

enum { TICKS_PER_US = 2, SAMPLES = 16 };
enum { ROUND_TICKS = 1000 * TICKS_PER_US };
enum { GUARD_TICKS = 20 }; /* a compare value nearer than this might be passed before it is written */

uint16_t clock_samples_overrun;

static volatile uint32_t overflows;
static volatile bool overflowed; /* since the round began: the 16 bits below do not show it */
static uint16_t round_began;
static volatile struct clock_sample samples[SAMPLES];
static volatile uint8_t written, taken;
static uint16_t period_us, period_ticks, next_index;
static uint32_t next_us;

ISR(TIMER1_OVF_vect)
{
    overflows++;
    overflowed = true;
}

void clock_round_begins(void)
{
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
    {
        overflowed = false;
        round_began = TCNT1;
    }
}

bool clock_round_is_due(void)
{
    return overflowed || (uint16_t)(TCNT1 - round_began) >= ROUND_TICKS;
}

uint32_t clock_us_in_interrupt(void)
{
    uint16_t ticks = TCNT1;
    uint32_t periods = overflows;
    if ((TIFR1 & _BV(TOV1)) && ticks < 0x8000) {
        periods++; /* it has overflowed, but the interrupt could not count it yet */
    }
    return periods << 15 | ticks >> 1;
}

uint32_t hal_time_us(void)
{
    uint32_t now_us;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
    {
        now_us = clock_us_in_interrupt();
    }
    return now_us;
}

ISR(TIMER1_COMPA_vect)
{
    uint16_t due = OCR1A;
    uint16_t late_ticks = TCNT1 - due + GUARD_TICKS;
    while (late_ticks >= period_ticks) { /* a position read now does not belong to that tick */
        late_ticks -= period_ticks;
        due += period_ticks;
        next_us += period_us;
        next_index++;
        count_up(&clock_samples_overrun);
    }
    OCR1A = due + period_ticks;

    uint8_t at = written, after = (at + 1) & (SAMPLES - 1);
    if (after == taken) {
        count_up(&clock_samples_overrun);
    } else {
        samples[at].index = next_index;
        samples[at].t_us = next_us;
        samples[at].count = encoder.count;
        written = after;
    }
    next_us += period_us;
    next_index++;
}

void hal_sample_every(uint16_t wanted_us)
{
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
    {
        TIMSK1 &= ~_BV(OCIE1A);
        written = taken = 0;
        if (wanted_us) {
            period_us = wanted_us;
            period_ticks = wanted_us * TICKS_PER_US;
            next_index = 0;
            next_us = clock_us_in_interrupt() + wanted_us;
            OCR1A = (uint16_t)next_us * TICKS_PER_US;
            TIFR1 = _BV(OCF1A);
            TIMSK1 |= _BV(OCIE1A);
        }
    }
}

bool clock_has_sample(void)
{
    return written != taken;
}

struct clock_sample clock_take_sample(void)
{
    uint8_t at = taken;
    struct clock_sample sample = { samples[at].index, samples[at].t_us, samples[at].count };
    taken = (at + 1) & (SAMPLES - 1);
    return sample;
}

void clock_start(void)
{
    TIMSK1 = _BV(TOIE1);
    TCCR1B = _BV(CS11); /* 16 MHz / 8 */
}

#if F_CPU != 16000000UL
#error "the prescaler above is for 16 MHz"
#endif
