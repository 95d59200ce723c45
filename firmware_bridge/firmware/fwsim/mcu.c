/* The MCU in libsimavr: loading, resetting, hanging and stalling it, and its clock against the world's.
   SPDX-License-Identifier: MIT (see fwsim.h) */
#include <string.h>

#include <avr_extint.h>
#include <sim_elf.h>
#include <sim_io.h>

#include "fwsim.h"

#define SELF_JUMP 0xcfff /* rjmp to itself */

avr_t *avr;

static double cycles_per_s;
static avr_cycle_count_t slept, marked_at;
static bool has_reset;
static double held_until_s = -1;
static enum cause held_cause;
static struct {
    bool on;
    avr_flashaddr_t at;
    uint16_t word; /* that stood there */
} hang;

double world_s(avr_cycle_count_t cycle)
{
    return (double)cycle / cycles_per_s;
}

double now_s(void)
{
    return world_s(avr->cycle);
}

avr_cycle_count_t cycles(double duration_s)
{
    return (avr_cycle_count_t)(duration_s * cycles_per_s);
}

void mark(void)
{
    slept = 0;
    marked_at = avr->cycle;
    report_mark();
}

double mcu_busy(void)
{
    return 1 - (double)slept / (double)(avr->cycle - marked_at);
}

/* avr_reset() forgets all cycle timers and input levels, also when the watchdog calls it from within a run. */
static void (*reset_core)(avr_t *);

static void on_reset(avr_t *mcu)
{
    if (reset_core) {
        reset_core(mcu);
    }
    has_reset = true;
}

static void after_reset(void)
{
    has_reset = false;
    if (hang.on) {
        hang.on = false;
        memcpy(avr->flash + hang.at, &hang.word, sizeof hang.word);
    }
    for (uint8_t interrupt = 0; interrupt < 2; interrupt++) { /* simavr polls a low pin every cycle otherwise */
        avr_extint_set_strict_lvl_trig(avr, interrupt, 0);
    }
    encoder_start();
    converter->start();
    line_start();
    report_boot(now_s());
}

static void pull_reset(enum cause cause)
{
    avr_reset(avr);
    avr->data[REG_MCUSR] = (uint8_t)cause; /* simavr sets it for the watchdog only */
}

void reset_mcu(enum cause cause, bool scramble_ram, double hold_s)
{
    if (scramble_ram) {
        for (int at = avr->ioend + 1; at <= avr->ramend; at++) {
            avr->data[at] = (uint8_t)(256 * chance());
        }
    }
    pull_reset(cause);
    held_cause = cause;
    held_until_s = hold_s > 0 ? now_s() + hold_s : -1;
}

/* Time passes for the world and for the peripherals, but no instruction runs. */
static void pass(avr_cycle_count_t until)
{
    while (avr->cycle < until) {
        avr_cycle_count_t to_next = avr_cycle_timer_process(avr);
        avr_cycle_count_t left = until - avr->cycle;
        avr->cycle += to_next < left ? (to_next ? to_next : 1) : left;
    }
    avr_cycle_timer_process(avr);
}

void stall_mcu(double for_s)
{
    pass(avr->cycle + cycles(for_s));
}

void hang_mcu(void)
{
    static const uint16_t jump = SELF_JUMP;
    hang.on = true;
    hang.at = avr->pc;
    memcpy(&hang.word, avr->flash + hang.at, sizeof hang.word);
    memcpy(avr->flash + hang.at, &jump, sizeof jump);
}

static void on_sleep(avr_t *mcu, avr_cycle_count_t how_long)
{
    (void)mcu;
    slept += how_long;
}

static void on_timer_1_control(struct avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq, (void)param;
    if (value & 7) {
        report_clock_zero(now_s()); /* the firmware's time begins */
    }
}

void mcu_load(const char *elf, const char *name, double clock_error)
{
    cycles_per_s = NOMINAL_HZ * (1 + clock_error);
    elf_firmware_t firmware;
    memset(&firmware, 0, sizeof firmware);
    if (elf_read_firmware(elf, &firmware)) {
        fail("%s: not an ELF for an AVR", elf);
    }
    avr = avr_make_mcu_by_name(name);
    if (!avr) {
        fail("libsimavr does not know the MCU %s", name);
    }
    avr_init(avr);
    avr->log = LOG_ERROR;
    firmware.frequency = NOMINAL_HZ;
    avr_load_firmware(avr, &firmware);
    avr->frequency = NOMINAL_HZ;
    avr->sleep = on_sleep; /* its own sleeps for real */
    reset_core = avr->reset;
    avr->reset = on_reset;
    has_reset = true;
    avr_irq_register_notify(avr_iomem_getirq(avr, REG_TCCR1B, NULL, AVR_IOMEM_IRQ_ALL), on_timer_1_control, NULL);
}

void mcu_run(avr_cycle_count_t until)
{
    while (avr->cycle < until) {
        if (has_reset) {
            after_reset();
        }
        if (held_until_s >= 0) {
            pass(until);
            if (now_s() >= held_until_s) {
                held_until_s = -1;
                pull_reset(held_cause);
            }
            continue;
        }
        while (avr->cycle < until && !has_reset) {
            int state = avr_run(avr);
            if (state == cpu_Done || state == cpu_Crashed) {
                fail("the firmware crashed at %.6f s, pc %04x", now_s(), avr->pc);
            }
        }
    }
}
