/* fwsim runs the unmodified firmware in libsimavr, with the machine's sensors on its pins and its UART on a pty.

   SPDX-License-Identifier: MIT
   These sources are MIT like everything here. A binary made from them links libsimavr, which is GPL-3.0-or-later, so
   that binary is a work under the GPL; it is a test tool, built where it runs and never distributed.

   Two clocks. The world's runs in seconds and moves trajectory, converter and faults. The MCU's crystal may be wrong by
   --clock-error: then a world second has more or fewer of its cycles, as on a board with a ceramic resonator. */
#ifndef FWSIM_H
#define FWSIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sim_avr.h>

enum { NOMINAL_HZ = 16000000 };

/* Registers that stand at the same address in all three MCUs. */
enum { REG_SPCR = 0x4c, REG_SPSR = 0x4d, REG_SPDR = 0x4e, REG_MCUSR = 0x54, REG_TCCR1B = 0x81 };
enum { REG_UCSR0A = 0xc0, REG_UBRR0L = 0xc4, REG_UBRR0H = 0xc5 };
enum cause { CAUSE_POWER_ON = 1, CAUSE_EXTERNAL = 2, CAUSE_BROWN_OUT = 4, CAUSE_WATCHDOG = 8 };

/* --- main.c --- */
void quit(void);
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* --- mcu.c --- */
extern avr_t *avr;
void mcu_load(const char *elf, const char *name, double clock_error);
void mcu_run(avr_cycle_count_t until);
double mcu_busy(void); /* share of the time since the last mark that it did not sleep */
double world_s(avr_cycle_count_t cycle);
double now_s(void);
avr_cycle_count_t cycles(double duration_s);
void reset_mcu(enum cause cause, bool scramble_ram, double hold_s); /* held in reset so long, or in a bootloader */
void hang_mcu(void);          /* the main loop stops where it is; interrupts go on */
void stall_mcu(double for_s); /* no instruction runs, the peripherals go on: as if interrupts were off so long */
void mark(void);              /* start counting busy time and interrupts anew */

/* --- chance.c: the same numbers in every run --- */
void chance_seed(uint64_t seed);
double chance(void);        /* in [0, 1) */
double chance_normal(void); /* mean 0, deviation 1 */

/* --- pins.c --- */
struct pin {
    char port;
    int bit;
    avr_irq_t *irq;
    int level;
};
struct wiring {
    const char *mcu;
    struct pin encoder_a, encoder_b, ready, clock, select;
};
extern struct wiring wiring;
void pins_connect(const char *mcu);
void pin_drive(struct pin *pin, int level);
void pin_redrive(struct pin *pin); /* after a reset, which clears the input registers */

/* --- trajectory.c --- */
struct trajectory_scale {
    double metres_per_count, position_zero_counts, newtons_per_count, force_zero_counts;
};
void trajectory_load(const char *path, struct trajectory_scale scale);
double trajectory_position_counts(double t_s);
double trajectory_force_counts(double t_s);
double trajectory_next_crossing_s(double t_s, long counts); /* when the position leaves [counts, counts + 1) */

/* --- options.c --- */
extern struct options {
    const char *elf, *mcu, *trajectory, *eeprom, *raw, *arrivals, *link, *script, *report;
    struct trajectory_scale scale;
    double rate_hz, noise_counts, clock_error, pace, reset_on_open_s, seconds;
    bool block, wait_open, read_stdin;
} options;
void options_read(int n_words, char **words);

/* --- encoder.c --- */
void encoder_start(void); /* at the beginning and after every reset of the MCU */
void encoder_freeze(bool frozen);
void encoder_jump(long counts); /* at once: both lines may change together */
void encoder_noise(double pulses_hz);

/* --- hx711.c, ads1220.c: force converters --- */
enum line_fault { LINE_FREE = -1, LINE_LOW = 0, LINE_HIGH = 1 };
struct converter_report {
    unsigned long conversions, reads, unread, overwritten;
    double clock_high_max_us;
};
struct converter_model {
    const char *name;
    void (*start)(void);
    void (*ready_stuck)(enum line_fault fault);
    void (*rate)(double conversions_hz);
    void (*brown_out)(void); /* of the chip alone: it loses its settings */
    struct converter_report (*report)(void);
};
extern const struct converter_model hx711, ads1220;
extern const struct converter_model *converter;
int32_t converter_word(double t_s); /* what a conversion that ends now yields */
void converter_set_noise(double counts);
void converter_saturate(bool on);

/* --- line.c: the UART's wire to the host --- */
void line_to_file(const char *path, const char *arrivals_path);
void line_to_pty(const char *link_path, bool block);
void line_start(void);
void line_poll(void); /* once in each millisecond of the world */
bool line_is_open(void);
void line_send_to_mcu(const uint8_t *bytes, size_t n_bytes);
void line_cut(bool cut);
void line_flip_bits(double per_byte);
void line_lose_bytes(double per_byte);
void line_batch(double every_ms);
void line_reset_on_open(double hold_s);
struct line_report {
    unsigned long sent_bytes, received_bytes, lost_closed_bytes, lost_full_bytes, faults;
};
struct line_report line_report(void);
unsigned pty_speed(int fd); /* pty_speed.c */

/* --- eeprom.c --- */
void eeprom_load(const char *path);
void eeprom_poll(void);

/* --- faults.c --- */
void faults_load(const char *path);
void faults_poll(void);
void faults_execute(const char *text);

/* --- report.c --- */
struct run_report {
    double simulated_s, wall_s, busy, worst_lag_ms;
};
void report_start(void);
void report_mark(void);
void report_boot(double t_s);
void report_clock_zero(double t_s);
void report_write(const char *path, struct run_report run);

#endif
