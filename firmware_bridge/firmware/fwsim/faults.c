/* Injects faults: lines of "t_s command [argument]" from a file, or "command [argument]" on standard input.
   SPDX-License-Identifier: MIT (see fwsim.h) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fwsim.h"

enum { LINE_BYTES = 256 };

static struct entry {
    double t_s;
    char text[LINE_BYTES];
} *script;
static size_t n_entries, next_entry;

static void send_hex(const char *hex)
{
    uint8_t bytes[LINE_BYTES / 2];
    size_t n = 0;
    unsigned byte;
    while (n < sizeof bytes && sscanf(hex, "%2x", &byte) == 1 && hex[1]) {
        bytes[n++] = (uint8_t)byte;
        hex += 2;
    }
    line_send_to_mcu(bytes, n);
}

/* clang-format off */
static void reset(double hold_s)      { reset_mcu(CAUSE_EXTERNAL, false, hold_s); }
static void brown_out(double hold_s)  { reset_mcu(CAUSE_BROWN_OUT, false, hold_s); }
static void power_on(double hold_s)   { reset_mcu(CAUSE_POWER_ON, true, hold_s); }
static void hang(double unused)       { (void)unused; hang_mcu(); }
static void ready_stuck(double level) { converter->ready_stuck(level < 0 ? LINE_FREE : level > 0); }
static void rate(double hz)           { converter->rate(hz); }
static void forget(double unused)     { (void)unused; converter->brown_out(); }
static void saturate(double on)       { converter_saturate(on != 0); }
static void freeze(double on)         { encoder_freeze(on != 0); }
static void jump(double counts)       { encoder_jump((long)counts); }
static void cut(double on)            { line_cut(on != 0); }
static void start_counting(double unused) { (void)unused; mark(); }
static void stop(double unused)       { (void)unused; quit(); }
/* clang-format on */

static const struct {
    const char *name;
    void (*act)(double argument);
} commands[] = {
    { "reset", reset },               /* external, held for so many seconds */
    { "brown_out", brown_out },       /* likewise */
    { "power_on", power_on },         /* likewise, with random RAM */
    { "hang", hang },                 /* until the watchdog resets it */
    { "stall", stall_mcu },           /* interrupts held off for so many seconds */
    { "ready_stuck", ready_stuck },   /* the converter's ready line: 0 low, 1 high, -1 free */
    { "converter_rate", rate },       /* conversions a second */
    { "converter_forgets", forget },  /* a brown-out of the chip alone */
    { "saturate", saturate },         /* 1: the end of the range, 0: as the trajectory says */
    { "noise", converter_set_noise }, /* counts */
    { "encoder_noise", encoder_noise }, /* pulses a second */
    { "encoder_freeze", freeze },     /* 1: the wire is broken, 0: it is mended */
    { "encoder_jump", jump },         /* counts at once */
    { "cut", cut },                   /* 1: the line is cut, 0: mended */
    { "flip", line_flip_bits },       /* probability that a byte has a flipped bit */
    { "lose", line_lose_bytes },      /* probability that a byte is lost */
    { "batch", line_batch },          /* bytes arrive in clumps every so many milliseconds */
    { "mark", start_counting },       /* busy time and interrupts count from here */
    { "quit", stop },
};

void faults_execute(const char *text)
{
    char name[32] = "";
    double argument = 0;
    sscanf(text, "%31s %lf", name, &argument);
    if (!strcmp(name, "send")) { /* hex bytes to the MCU */
        send_hex(text + strspn(text, " ") + strlen("send") + strspn(text + strspn(text, " ") + strlen("send"), " "));
        return;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (!strcmp(name, commands[i].name)) {
            commands[i].act(argument);
            return;
        }
    }
    fail("no such command: %s", text);
}

void faults_load(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        fail("%s: cannot be opened", path);
    }
    char line[LINE_BYTES];
    while (fgets(line, sizeof line, file)) {
        int at = 0;
        struct entry entry;
        line[strcspn(line, "#\n")] = 0;
        if (sscanf(line, "%lf %n", &entry.t_s, &at) != 1) {
            continue;
        }
        snprintf(entry.text, sizeof entry.text, "%s", line + at);
        script = realloc(script, (n_entries + 1) * sizeof *script);
        if (!script) {
            fail("%s: too long", path);
        }
        script[n_entries++] = entry;
    }
    fclose(file);
}

void faults_poll(void)
{
    while (next_entry < n_entries && script[next_entry].t_s <= now_s()) {
        faults_execute(script[next_entry++].text);
    }
}
