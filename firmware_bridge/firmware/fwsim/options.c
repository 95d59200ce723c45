/* The command line.
   SPDX-License-Identifier: MIT (see fwsim.h) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    "  --eeprom FILE              kept from run to run\n"
    "  --raw FILE                 what the MCU sends goes here; without it to a pty, whose name is printed\n"
    "  --arrivals FILE            lines of t_us, n_bytes: when a reader would have got it\n"
    "  --link PATH                a symbolic link to the pty\n"
    "  --pace X                   seconds of the world a second; 0 (default) as fast as it goes\n"
    "  --block                    wait for a slow reader instead of losing bytes\n"
    "  --wait-open                begin when somebody opens the pty\n"
    "  --reset-on-open S          as an Uno does, and be silent so long, as its bootloader is\n"
    "  --script FILE  --stdin     faults: \"t_s command [argument]\", on standard input without t_s; its end is ours\n"
    "  --seconds S  --report FILE\n";

struct options options = { .mcu = "atmega328p", .scale = { 1, 0, 1, 0 }, .reset_on_open_s = -1 };

static const struct {
    const char *name;
    const char **text;
    double *number;
    bool *on;
} known[] = {
    { "--elf", &options.elf, NULL, NULL },
    { "--mcu", &options.mcu, NULL, NULL },
    { "--trajectory", &options.trajectory, NULL, NULL },
    { "--eeprom", &options.eeprom, NULL, NULL },
    { "--raw", &options.raw, NULL, NULL },
    { "--arrivals", &options.arrivals, NULL, NULL },
    { "--link", &options.link, NULL, NULL },
    { "--script", &options.script, NULL, NULL },
    { "--report", &options.report, NULL, NULL },
    { "--metres-per-count", NULL, &options.scale.metres_per_count, NULL },
    { "--position-zero-counts", NULL, &options.scale.position_zero_counts, NULL },
    { "--newtons-per-count", NULL, &options.scale.newtons_per_count, NULL },
    { "--force-zero-counts", NULL, &options.scale.force_zero_counts, NULL },
    { "--rate", NULL, &options.rate_hz, NULL },
    { "--noise", NULL, &options.noise_counts, NULL },
    { "--clock-error", NULL, &options.clock_error, NULL },
    { "--pace", NULL, &options.pace, NULL },
    { "--reset-on-open", NULL, &options.reset_on_open_s, NULL },
    { "--seconds", NULL, &options.seconds, NULL },
    { "--block", NULL, NULL, &options.block },
    { "--wait-open", NULL, NULL, &options.wait_open },
    { "--stdin", NULL, NULL, &options.read_stdin },
};
enum { KNOWN = sizeof known / sizeof known[0] };

static void refuse(void)
{
    fputs(usage, stderr);
    exit(2);
}

static void set(const char *name, const char *value)
{
    for (size_t i = 0; i < KNOWN; i++) {
        if (!strcmp(name, known[i].name)) {
            if (known[i].text) {
                *known[i].text = value;
            } else {
                *known[i].number = strtod(value, NULL);
            }
            return;
        }
    }
    if (!strcmp(name, "--converter") && !strcmp(value, hx711.name)) {
        converter = &hx711;
    } else if (!strcmp(name, "--converter") && !strcmp(value, ads1220.name)) {
        converter = &ads1220;
    } else if (!strcmp(name, "--seed")) {
        chance_seed(strtoull(value, NULL, 10));
    } else {
        refuse();
    }
}

static bool is_switch(const char *name)
{
    for (size_t i = 0; i < KNOWN; i++) {
        if (known[i].on && !strcmp(name, known[i].name)) {
            return *known[i].on = true;
        }
    }
    return false;
}

void options_read(int n_words, char **words)
{
    for (int i = 1; i < n_words; i++) {
        if (is_switch(words[i])) {
            continue;
        }
        if (i + 1 == n_words) {
            refuse();
        }
        set(words[i], words[i + 1]);
        i++;
    }
    if (!options.elf) {
        refuse();
    }
}
