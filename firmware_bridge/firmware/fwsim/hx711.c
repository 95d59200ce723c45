/* An HX711 behind its two pins. From the datasheet: 25 to 27 pulses a read, a clock high for 60 us powers it down,
   four conversions of settling after that. The register is not protected: a conversion that ends in the middle of a
   read shifts out half of one word and half of the next.
   SPDX-License-Identifier: MIT (see fwsim.h) */
#include <avr_ioport.h>

#include "fwsim.h"

#define POWER_DOWN_S 60e-6
enum { DATA_BITS = 24, SETTLING = 4 };

static double rate_hz = 80;
static enum line_fault stuck = LINE_FREE;
static int level = 1; /* what the chip would put on DOUT */
static bool clock_is_high, powered_down, ready;
static int bits_out; /* of the word that is being read */
static int settling = SETTLING;
static int32_t word;
static avr_cycle_count_t clock_rose;
static struct converter_report report;

static void show(int wanted)
{
    level = wanted;
    pin_drive(&wiring.ready, stuck == LINE_FREE ? level : (int)stuck);
}

static void power_up(void)
{
    powered_down = ready = false;
    bits_out = 0;
    settling = SETTLING;
    show(1);
}

static avr_cycle_count_t convert(avr_t *mcu, avr_cycle_count_t when, void *param)
{
    (void)mcu, (void)param;
    avr_cycle_count_t next = when + cycles(1 / rate_hz);
    if (clock_is_high && world_s(when) - world_s(clock_rose) > POWER_DOWN_S) {
        powered_down = true;
        show(1);
    }
    if (powered_down || settling > 0) {
        settling -= settling > 0;
        return next;
    }
    report.conversions++;
    word = converter_word(world_s(when));
    if (bits_out > 0) {
        report.overwritten++;
        return next;
    }
    if (ready) {
        report.unread++;
        show(1); /* a short high between two conversions */
    }
    ready = true;
    show(0);
    return next;
}

static void on_clock(struct avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq, (void)param;
    bool high = value & 1;
    if (high == clock_is_high) {
        return;
    }
    clock_is_high = high;
    if (high) {
        clock_rose = avr->cycle;
        if (powered_down || !ready) {
            return;
        }
        if (bits_out < DATA_BITS) {
            show((int)(word >> (DATA_BITS - 1 - bits_out)) & 1);
            bits_out++;
        } else { /* the 25th pulse; those that follow choose the gain of the next conversion */
            show(1);
            bits_out = 0;
            ready = false;
            report.reads++;
        }
        return;
    }
    double high_s = world_s(avr->cycle) - world_s(clock_rose);
    if (high_s > POWER_DOWN_S) {
        power_up(); /* on purpose, so it does not count as a long pulse */
    } else if (high_s * 1e6 > report.clock_high_max_us) {
        report.clock_high_max_us = high_s * 1e6;
    }
}

static void start(void)
{
    static bool connected;
    if (!connected) {
        connected = true;
        avr_irq_register_notify(wiring.clock.irq, on_clock, NULL);
        pin_drive(&wiring.ready, 1);
    }
    pin_redrive(&wiring.ready);
    avr_cycle_timer_register(avr, cycles(1 / rate_hz), convert, NULL);
}

static void set_stuck(enum line_fault fault)
{
    stuck = fault;
    show(level);
}

static void set_rate(double conversions_hz)
{
    rate_hz = conversions_hz;
}

static struct converter_report get_report(void)
{
    return report;
}

const struct converter_model hx711 = { "hx711", start, set_stuck, set_rate, power_up, get_report };
