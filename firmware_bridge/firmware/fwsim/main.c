/* The run: millisecond after millisecond of the world, at the pace that was asked for.
   SPDX-License-Identifier: MIT (see fwsim.h) */
#define _GNU_SOURCE
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "fwsim.h"

enum { SLICES_HZ = 1000 };

static volatile sig_atomic_t quitting;

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

void quit(void)
{
    quitting = 1;
}

static void on_signal(int signal)
{
    (void)signal;
    quitting = 1;
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
        quit(); /* the parent process is gone */
    }
}

static struct run_report run(void)
{
    double began_s = wall_s(), worst_lag_s = 0;
    avr_cycle_count_t until = avr->cycle;
    while (!quitting && !(options.seconds > 0 && now_s() >= options.seconds)) {
        until += cycles(1.0 / SLICES_HZ);
        mcu_run(until);
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
    return (struct run_report){ now_s(), wall_s() - began_s, mcu_busy(), 1e3 * worst_lag_s };
}

static void open_line(void)
{
    line_reset_on_open(options.reset_on_open_s);
    if (options.raw) {
        line_to_file(options.raw, options.arrivals);
        return;
    }
    line_to_pty(options.link, options.block);
    while (options.wait_open && !quitting && !line_is_open()) {
        if (options.read_stdin) {
            read_commands();
        }
        sleep_s(0.001);
    }
}

int main(int n_words, char **words)
{
    options_read(n_words, words);
    struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);

    mcu_load(options.elf, options.mcu, options.clock_error);
    pins_connect(options.mcu);
    if (options.trajectory) {
        trajectory_load(options.trajectory, options.scale);
    }
    if (options.eeprom) {
        eeprom_load(options.eeprom);
    }
    if (options.script) {
        faults_load(options.script);
    }
    if (options.rate_hz > 0) {
        converter->rate(options.rate_hz);
    }
    if (options.read_stdin) {
        fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    }
    converter_set_noise(options.noise_counts);
    report_start();
    open_line();
    report_write(options.report, run());
    return 0;
}
