/* The serial line: the MCU's UART on one side, a pty or a file on the other, and everything that can garble it between.
   SPDX-License-Identifier: MIT (see fwsim.h) */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <avr_uart.h>

#include "fwsim.h"

enum { OUT_BYTES = 1 << 16, IN_BYTES = 1 << 14 };
#define SPEED_TOLERANCE 0.03

static int master = -1;
static FILE *file, *arrivals;
static const char *link_name;
static bool block, cut, is_open;
static double flip_per_byte, lose_per_byte, batch_ms = 1, sent_ms, reset_on_open_s = -1;
static uint8_t out[OUT_BYTES], in[IN_BYTES];
static size_t n_out, in_read, in_written;
static avr_irq_t *to_mcu;
static struct line_report report;

/* What a UART makes of bytes at another speed than its own. */
static bool speeds_differ(void)
{
    if (master < 0) {
        return false;
    }
    double divisor = avr->data[REG_UBRR0L] + 256 * avr->data[REG_UBRR0H] + 1;
    double mcu_baud = NOMINAL_HZ / divisor / (avr->data[REG_UCSR0A] & 2 ? 8 : 16);
    return fabs(pty_speed(master) / mcu_baud - 1) > SPEED_TOLERANCE;
}

static void on_byte(struct avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq, (void)param;
    report.sent_bytes++;
    if (cut || (lose_per_byte > 0 && chance() < lose_per_byte)) {
        report.faults++;
        return;
    }
    if (flip_per_byte > 0 && chance() < flip_per_byte) {
        value ^= 1u << (int)(8 * chance());
        report.faults++;
    }
    if (n_out < sizeof out) {
        out[n_out++] = (uint8_t)value;
    } else {
        report.lost_full_bytes++;
    }
}

/* One byte per byte time: simavr's receive buffer is deeper than the real one. */
static avr_cycle_count_t feed(avr_t *mcu, avr_cycle_count_t when, void *param)
{
    (void)param;
    enum { BITS = 11 }; /* as simavr counts them */
    avr_cycle_count_t divisor = (avr_cycle_count_t)(mcu->data[REG_UBRR0L] + 256 * mcu->data[REG_UBRR0H] + 1);
    if (in_read != in_written) {
        avr_raise_irq(to_mcu, in[in_read++ % IN_BYTES]);
        report.received_bytes++;
    }
    return when + divisor * 8 * BITS;
}

void line_send_to_mcu(const uint8_t *bytes, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes && in_written - in_read < IN_BYTES; i++) {
        in[in_written++ % IN_BYTES] = bytes[i];
    }
}

static void flush_pty(void)
{
    if (!is_open) {
        report.lost_closed_bytes += n_out;
        n_out = 0;
        return;
    }
    if (n_out && speeds_differ()) {
        for (size_t i = 0; i < n_out; i++) {
            out[i] = (uint8_t)(256 * chance());
        }
    }
    size_t done = 0;
    while (done < n_out) {
        ssize_t n = write(master, out + done, n_out - done);
        if (n > 0) {
            done += (size_t)n;
        } else if (n < 0 && errno == EAGAIN && block) {
            struct pollfd waiting = { master, POLLOUT, 0 };
            if (poll(&waiting, 1, 100) < 0 || waiting.revents & POLLHUP) {
                break;
            }
        } else if (n < 0 && errno == EINTR) {
            continue;
        } else {
            break;
        }
    }
    report.lost_full_bytes += n_out - done;
    n_out = 0;
}

static void flush_file(double ms)
{
    fwrite(out, 1, n_out, file);
    if (arrivals && n_out) {
        fprintf(arrivals, "%.0f %zu\n", 1e3 * ms, n_out);
    }
    n_out = 0;
}

static void poll_pty(void)
{
    struct pollfd state = { master, POLLIN, 0 };
    poll(&state, 1, 0);
    bool open = !(state.revents & POLLHUP); /* nobody has the other end */
    if (open && !is_open && reset_on_open_s >= 0) {
        is_open = open;
        reset_mcu(CAUSE_EXTERNAL, false, reset_on_open_s); /* DTR, as an Uno is wired */
    }
    is_open = open;
    if (state.revents & POLLIN) {
        uint8_t bytes[512];
        ssize_t n = read(master, bytes, sizeof bytes);
        if (n > 0 && !cut && !speeds_differ()) {
            line_send_to_mcu(bytes, (size_t)n);
        }
    }
}

void line_poll(void)
{
    double ms = 1e3 * now_s();
    if (master >= 0) {
        poll_pty();
    }
    if (ms - sent_ms < batch_ms - 0.5) {
        return;
    }
    sent_ms = ms;
    if (master >= 0) {
        flush_pty();
    } else {
        flush_file(ms);
    }
}

bool line_is_open(void)
{
    if (master >= 0 && !is_open) {
        struct pollfd state = { master, 0, 0 };
        poll(&state, 1, 0);
        return !(state.revents & POLLHUP);
    }
    return true;
}

void line_to_file(const char *path, const char *arrivals_path)
{
    file = fopen(path, "wb");
    arrivals = arrivals_path ? fopen(arrivals_path, "w") : NULL;
    if (!file || (arrivals_path && !arrivals)) {
        fail("%s: cannot be written", file ? arrivals_path : path);
    }
}

/* Before the pty closes: the kernel gives its number to the next program that asks for one. */
static void remove_link(void)
{
    unlink(link_name);
}

void line_to_pty(const char *link_path, bool block_when_full)
{
    int slave;
    char name[128];
    struct termios setting;
    block = block_when_full;
    if (openpty(&master, &slave, name, NULL, NULL)) {
        fail("no pty: %s", strerror(errno));
    }
    tcgetattr(slave, &setting);
    cfmakeraw(&setting); /* otherwise it echoes, and the MCU hears itself */
    tcsetattr(slave, TCSANOW, &setting);
    close(slave); /* from now on a hang-up means that nobody has it open */
    fcntl(master, F_SETFL, O_NONBLOCK);
    if (link_path) {
        link_name = link_path;
        unlink(link_path);
        if (symlink(name, link_path)) {
            fail("%s: %s", link_path, strerror(errno));
        }
        atexit(remove_link);
    }
    printf("PTY %s\n", name);
    fflush(stdout);
}

void line_start(void)
{
    if (!to_mcu) {
        uint32_t no_flags = 0; /* by default simavr sleeps on status reads and prints what is sent */
        avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &no_flags);
        to_mcu = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
        avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), on_byte, NULL);
    }
    avr_cycle_timer_register(avr, 1, feed, NULL);
}

void line_cut(bool now)
{
    cut = now;
}

void line_flip_bits(double per_byte)
{
    flip_per_byte = per_byte;
}

void line_lose_bytes(double per_byte)
{
    lose_per_byte = per_byte;
}

void line_batch(double every_ms)
{
    batch_ms = every_ms;
}

void line_reset_on_open(double hold_s)
{
    reset_on_open_s = hold_s;
}

struct line_report line_report(void)
{
    sent_ms = -1e9; /* whatever is left */
    line_poll();
    if (file) {
        fclose(file);
    }
    if (arrivals) {
        fclose(arrivals);
    }
    return report;
}
