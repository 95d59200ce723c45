/* The run: options, the loop over milliseconds of the world, resets.
   SPDX-License-Identifier: MIT (see fwsim.h) */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <avr_extint.h>
#include <avr_ioport.h>
#include <sim_elf.h>
#include <sim_io.h>

#include "fwsim.h"

static const char usage[] =
    "usage: fwsim --elf FILE [options]\n"
    "  --mcu NAME                 atmega328p (default), atmega2560, atmega1284p\n"
    "  --trajectory CSV           t_s, position_m, force_n, a file or a pipe; the calibration turns them into counts:\n"
    "  --metres-per-count X  --position-zero-counts X  --newtons-per-count X  --force-zero-counts X\n"
    "  --converter NAME           hx711 (default), ads1220\n"
    "  --rate HZ                  the HX711's conversions a second; the ADS1220's come from its registers\n"
    "  --noise COUNTS  --seed N   on the force\n"
    "  --clock-error X            of the MCU's crystal: 0.005 is 0.5 % fast\n"
    "  --raw FILE                 what the MCU sends goes here; without it to a pty, whose name is printed\n"
    "  --link PATH                a symbolic link to the pty\n"
    "  --pace X                   seconds of the world a second; 0 (default) as fast as it goes\n"
    "  --block                    wait for a slow reader instead of losing bytes\n"
    "  --wait-open                begin when somebody opens the pty\n"
    "  --reset-on-open S          as an Uno does, and be silent so long, as its bootloader is\n"
    "  --script FILE  --stdin     faults: \"t_s command [argument]\", on standard input without t_s; its end is ours\n"
    "  --eeprom FILE              kept from run to run\n"
    "  --seconds S  --report FILE\n";

enum { SLICE_HZ = 1000 };
#define SELF_JUMP 0xcfff /* rjmp to itself */

avr_t *avr;

static struct {
    const char *elf, *mcu, *trajectory, *raw, *link, *script, *report, *eeprom;
    struct trajectory_scale scale;
    double rate_hz, pace, seconds, clock_error, noise_counts, reset_on_open_s;
    bool block, wait_open, read_stdin;
} options = { .mcu = "atmega328p",
              .scale = { 1, 0, 1, 0 },
              .reset_on_open_s = -1 };

static double cycles_per_s;
static volatile sig_atomic_t quitting;
static avr_cycle_count_t slept, marked_at;
static bool has_reset;
static double held_until_s = -1;
static enum cause held_cause;
static uint16_t hung_word;
static avr_flashaddr_t hung_at;
static bool hung;

void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("fwsim: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(2);
}

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

void quit(void)
{
    quitting = 1;
}

static void on_signal(int signal)
{
    (void)signal;
    quitting = 1;
}

void mark(void)
{
    slept = 0;
    marked_at = avr->cycle;
    report_mark();
}

/* --- resets --- */

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
    if (hung) {
        hung = false;
        memcpy(avr->flash + hung_at, &hung_word, sizeof hung_word);
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
    avr->data[REG_MCUSR] = (uint8_t)cause;
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
    hung_at = avr->pc;
    memcpy(&hung_word, avr->flash + hung_at, sizeof hung_word);
    memcpy(avr->flash + hung_at, &jump, sizeof jump);
    hung = true;
}

/* --- the run --- */

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

static void load(void)
{
    elf_firmware_t firmware;
    memset(&firmware, 0, sizeof firmware);
    if (elf_read_firmware(options.elf, &firmware)) {
        fail("%s: not an ELF for an AVR", options.elf);
    }
    avr = avr_make_mcu_by_name(options.mcu);
    if (!avr) {
        fail("libsimavr does not know the MCU %s", options.mcu);
    }
    avr_init(avr);
    avr->log = LOG_ERROR;
    firmware.frequency = NOMINAL_HZ;
    avr_load_firmware(avr, &firmware);
    avr->frequency = NOMINAL_HZ;
    avr->sleep = on_sleep; /* its own sleeps for real */
    reset_core = avr->reset;
    avr->reset = on_reset;
    avr_irq_register_notify(avr_iomem_getirq(avr, REG_TCCR1B, NULL, AVR_IOMEM_IRQ_ALL), on_timer_1_control, NULL);
}

static double wall_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void sleep_s(double duration_s)
{
    struct timespec duration = { (time_t)duration_s, (long)(1e9 * fmod(duration_s, 1)) };
    nanosleep(&duration, NULL);
}

static void read_commands(void)
{
    static char text[256];
    static size_t n;
    char byte;
    ssize_t got;
    while ((got = read(STDIN_FILENO, &byte, 1)) == 1) {
        if (byte != '\n' && n < sizeof text - 1) {
            text[n++] = byte;
        } else if (n) {
            text[n] = 0;
            n = 0;
            faults_execute(text);
        }
    }
    if (got == 0) {
        quit();
    }
}

static void run_slice(avr_cycle_count_t until)
{
    if (held_until_s >= 0) {
        pass(until);
        if (now_s() >= held_until_s) {
            held_until_s = -1;
            pull_reset(held_cause);
        }
        return;
    }
    while (avr->cycle < until && !has_reset) {
        int state = avr_run(avr);
        if (state == cpu_Done || state == cpu_Crashed) {
            fail("the firmware crashed at %.6f s, pc %04x", now_s(), avr->pc);
        }
    }
}

static struct run_report run(void)
{
    double began_s = wall_s(), worst_lag_s = 0;
    avr_cycle_count_t until = avr->cycle;
    after_reset();
    while (!quitting && !(options.seconds > 0 && now_s() >= options.seconds)) {
        until += cycles(1.0 / SLICE_HZ);
        while (avr->cycle < until) {
            if (has_reset) {
                after_reset();
            }
            run_slice(until);
        }
        line_poll();
        faults_poll();
        eeprom_poll();
        if (options.read_stdin) {
            read_commands();
        }
        if (options.pace > 0) {
            double ahead_s = began_s + now_s() / options.pace - wall_s();
            if (ahead_s > 0) {
                sleep_s(ahead_s);
            } else if (-ahead_s > worst_lag_s) {
                worst_lag_s = -ahead_s;
            }
        }
    }
    double counted = (double)(avr->cycle - marked_at);
    return (struct run_report){ now_s(), wall_s() - began_s, 1 - (double)slept / counted, 1e3 * worst_lag_s };
}

static void read_options(int n_words, char **words)
{
    const struct {
        const char *name;
        const char **text;
        double *number;
        bool *on;
    } known[] = {
        { "--elf", &options.elf, NULL, NULL },
        { "--mcu", &options.mcu, NULL, NULL },
        { "--trajectory", &options.trajectory, NULL, NULL },
        { "--raw", &options.raw, NULL, NULL },
        { "--link", &options.link, NULL, NULL },
        { "--script", &options.script, NULL, NULL },
        { "--report", &options.report, NULL, NULL },
        { "--eeprom", &options.eeprom, NULL, NULL },
        { "--metres-per-count", NULL, &options.scale.metres_per_count, NULL },
        { "--position-zero-counts", NULL, &options.scale.position_zero_counts, NULL },
        { "--newtons-per-count", NULL, &options.scale.newtons_per_count, NULL },
        { "--force-zero-counts", NULL, &options.scale.force_zero_counts, NULL },
        { "--rate", NULL, &options.rate_hz, NULL },
        { "--pace", NULL, &options.pace, NULL },
        { "--seconds", NULL, &options.seconds, NULL },
        { "--clock-error", NULL, &options.clock_error, NULL },
        { "--noise", NULL, &options.noise_counts, NULL },
        { "--reset-on-open", NULL, &options.reset_on_open_s, NULL },
        { "--block", NULL, NULL, &options.block },
        { "--wait-open", NULL, NULL, &options.wait_open },
        { "--stdin", NULL, NULL, &options.read_stdin },
    };
    for (int i = 1; i < n_words; i++) {
        size_t k = 0, n_known = sizeof known / sizeof known[0];
        while (k < n_known && strcmp(words[i], known[k].name)) {
            k++;
        }
        const char *value = i + 1 < n_words ? words[i + 1] : NULL;
        if (k < n_known && known[k].on) {
            *known[k].on = true;
            continue;
        } else if (k < n_known && value && known[k].text) {
            *known[k].text = value;
        } else if (k < n_known && value) {
            *known[k].number = strtod(value, NULL);
        } else if (!strcmp(words[i], "--converter") && value && !strcmp(value, ads1220.name)) {
            converter = &ads1220;
        } else if (!strcmp(words[i], "--converter") && value && !strcmp(value, hx711.name)) {
            converter = &hx711;
        } else if (!strcmp(words[i], "--seed") && value) {
            chance_seed(strtoull(value, NULL, 10));
        } else {
            fputs(usage, stderr);
            exit(2);
        }
        i++;
    }
    if (!options.elf) {
        fputs(usage, stderr);
        exit(2);
    }
}

int main(int n_words, char **words)
{
    read_options(n_words, words);
    struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);

    cycles_per_s = NOMINAL_HZ * (1 + options.clock_error);
    load();
    pins_connect(options.mcu);
    if (options.trajectory) {
        trajectory_load(options.trajectory, options.scale);
    }
    if (options.eeprom) {
        eeprom_load(options.eeprom);
    }
    converter_set_noise(options.noise_counts);
    if (options.rate_hz > 0) {
        converter->rate(options.rate_hz);
    }
    if (options.script) {
        faults_load(options.script);
    }
    if (options.read_stdin) {
        fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    }
    line_reset_on_open(options.reset_on_open_s);
    if (options.raw) {
        line_to_file(options.raw);
    } else {
        line_to_pty(options.link, options.block);
        while (options.wait_open && !quitting && !line_is_open()) {
            if (options.read_stdin) {
                read_commands();
            }
            sleep_s(0.001);
        }
    }
    report_start();
    report_write(options.report, run());
    return 0;
}
