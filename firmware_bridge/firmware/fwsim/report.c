/* What happened, as JSON: boots with the world's time of the MCU's clock zero, busy time, interrupts, bytes.
   SPDX-License-Identifier: MIT (see fwsim.h) */
#include <stdio.h>
#include <string.h>

#include "fwsim.h"

enum { VECTORS = 64, BOOTS = 256 };

static struct {
    unsigned long n;
    avr_cycle_count_t total, longest, longest_wait, pending_since, running_since;
    bool pending;
} interrupts[VECTORS];

static struct {
    double t_s, clock_zero_s;
} boots[BOOTS];
static size_t n_boots;

static void on_pending(struct avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq;
    size_t vector = (size_t)param;
    if (value && !interrupts[vector].pending) {
        interrupts[vector].pending_since = avr->cycle;
    }
    interrupts[vector].pending = value != 0;
}

static void on_running(struct avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq;
    size_t vector = (size_t)param;
    if (value) {
        avr_cycle_count_t wait = interrupts[vector].pending ? avr->cycle - interrupts[vector].pending_since : 0;
        interrupts[vector].pending = false;
        interrupts[vector].running_since = avr->cycle;
        if (wait > interrupts[vector].longest_wait) {
            interrupts[vector].longest_wait = wait;
        }
    } else {
        avr_cycle_count_t took = avr->cycle - interrupts[vector].running_since;
        interrupts[vector].n++;
        interrupts[vector].total += took;
        if (took > interrupts[vector].longest) {
            interrupts[vector].longest = took;
        }
    }
}

void report_start(void)
{
    for (size_t vector = 1; vector < VECTORS; vector++) {
        avr_irq_t *irqs = avr_get_interrupt_irq(avr, (uint8_t)vector);
        if (irqs) {
            avr_irq_register_notify(irqs + AVR_INT_IRQ_PENDING, on_pending, (void *)vector);
            avr_irq_register_notify(irqs + AVR_INT_IRQ_RUNNING, on_running, (void *)vector);
        }
    }
}

void report_mark(void)
{
    memset(interrupts, 0, sizeof interrupts);
}

void report_boot(double t_s)
{
    if (n_boots < BOOTS) {
        boots[n_boots].t_s = t_s;
        boots[n_boots++].clock_zero_s = -1;
    }
}

void report_clock_zero(double t_s)
{
    if (n_boots && boots[n_boots - 1].clock_zero_s < 0) {
        boots[n_boots - 1].clock_zero_s = t_s;
    }
}

void report_write(const char *path, struct run_report run)
{
    struct line_report line = line_report();
    if (!path) {
        return;
    }
    struct converter_report force = converter->report();
    FILE *file = fopen(path, "w");
    if (!file) {
        fail("%s: cannot be written", path);
    }
    fprintf(file, "{\"simulated_s\": %.6f, \"wall_s\": %.6f, ", run.simulated_s, run.wall_s);
    fprintf(file, "\"busy\": %.6f, \"worst_lag_ms\": %.3f,\n", run.busy, run.worst_lag_ms);
    fprintf(file, " \"line\": {\"sent_bytes\": %lu, \"received_bytes\": %lu, \"lost_closed_bytes\": %lu, ",
            line.sent_bytes, line.received_bytes, line.lost_closed_bytes);
    fprintf(file, "\"lost_full_bytes\": %lu, \"faults\": %lu},\n", line.lost_full_bytes, line.faults);
    fprintf(file, " \"converter\": {\"name\": \"%s\", \"conversions\": %lu, \"reads\": %lu, \"unread\": %lu, ",
            converter->name, force.conversions, force.reads, force.unread);
    fprintf(file, "\"overwritten\": %lu, \"clock_high_max_us\": %.3f},\n", force.overwritten, force.clock_high_max_us);
    fprintf(file, " \"interrupts\": {");
    const char *comma = "";
    for (size_t vector = 0; vector < VECTORS; vector++) {
        if (interrupts[vector].n) {
            fprintf(file, "%s\n  \"%zu\": {\"n\": %lu, \"mean_us\": %.3f, \"max_us\": %.3f, \"max_wait_us\": %.3f}",
                    comma, vector, interrupts[vector].n,
                    1e6 * (double)interrupts[vector].total / (double)interrupts[vector].n / NOMINAL_HZ,
                    1e6 * (double)interrupts[vector].longest / NOMINAL_HZ,
                    1e6 * (double)interrupts[vector].longest_wait / NOMINAL_HZ);
            comma = ",";
        }
    }
    fprintf(file, "},\n \"boots\": [");
    for (size_t i = 0; i < n_boots; i++) {
        fprintf(file, "%s{\"t_s\": %.9f, \"clock_zero_s\": %.9f}", i ? ", " : "", boots[i].t_s, boots[i].clock_zero_s);
    }
    fprintf(file, "]}\n");
    fclose(file);
}
