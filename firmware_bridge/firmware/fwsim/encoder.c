/* A quadrature encoder on the cable, and the faults of its wires.
   SPDX-License-Identifier: MIT (see fwsim.h) */
#include <math.h>

#include "fwsim.h"

#define LOOK_AGAIN_S 0.001
#define CATCH_UP_S 2e-6 /* between edges where it lags behind the trajectory: fast, but not both lines at once */

static long counts;       /* where the disc stands */
static long slipped;      /* trajectory minus disc, after the wire was broken or it jumped */
static bool frozen;
static double noise_hz;
static bool pulse_is_on;

static int line_a(void)
{
    return (counts & 3) == 1 || (counts & 3) == 2;
}

static int line_b(void)
{
    return (counts & 3) >= 2;
}

static void show(void)
{
    pin_drive(&wiring.encoder_a, line_a());
    pin_drive(&wiring.encoder_b, line_b());
}

static long wanted(double t_s)
{
    return (long)floor(trajectory_position_counts(t_s)) - slipped;
}

static avr_cycle_count_t turn(avr_t *mcu, avr_cycle_count_t when, void *param)
{
    (void)mcu, (void)param;
    double t_s = world_s(when);
    if (frozen) {
        return when + cycles(LOOK_AGAIN_S);
    }
    long target = wanted(t_s);
    if (counts != target) {
        counts += target > counts ? 1 : -1;
        show();
    }
    double next_s = counts != target ? t_s + CATCH_UP_S : trajectory_next_crossing_s(t_s, counts + slipped);
    next_s = fmin(next_s, t_s + LOOK_AGAIN_S);
    avr_cycle_count_t next = cycles(next_s) + 1;
    return next > when ? next : when + 1;
}

/* Contact noise or a motor nearby: pulses of 1 to 4 microseconds on line A, at random. */
static avr_cycle_count_t disturb(avr_t *mcu, avr_cycle_count_t when, void *param)
{
    (void)mcu, (void)param;
    pulse_is_on = !pulse_is_on && noise_hz > 0;
    pin_drive(&wiring.encoder_a, line_a() ^ pulse_is_on);
    if (pulse_is_on) {
        return when + cycles(1e-6 + 3e-6 * chance());
    }
    double pause_s = noise_hz > 0 ? -log(1 - chance()) / noise_hz : LOOK_AGAIN_S;
    return when + 1 + cycles(pause_s);
}

void encoder_start(void)
{
    static bool started;
    if (!started) {
        started = true;
        counts = wanted(now_s());
        show();
    }
    pulse_is_on = false;
    pin_redrive(&wiring.encoder_a);
    pin_redrive(&wiring.encoder_b);
    avr_cycle_timer_register(avr, 1, turn, NULL);
    avr_cycle_timer_register(avr, cycles(LOOK_AGAIN_S), disturb, NULL);
}

void encoder_freeze(bool freeze)
{
    frozen = freeze;
    slipped += freeze ? 0 : wanted(now_s()) - counts; /* what the cable did meanwhile never reached the disc */
}

void encoder_jump(long by_counts)
{
    counts += by_counts;
    slipped -= by_counts;
    show();
}

void encoder_noise(double pulses_hz)
{
    noise_hz = pulses_hz;
}
