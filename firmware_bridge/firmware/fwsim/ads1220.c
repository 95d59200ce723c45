/* An ADS1220 behind SPI and DRDY: registers, RESET, START, RREG, WREG, and reading without a command.

   simavr's own SPI takes 100 us a byte whatever the clock divider says; the register is hooked here and a byte takes
   the eight bit times that SPCR and SPSR ask for.
   SPDX-License-Identifier: MIT (see fwsim.h) */
#include <string.h>

#include <avr_spi.h>

#include "fwsim.h"

enum { RESET = 0x06, START = 0x08, READ = 0x20, WRITE = 0x40, CONTINUOUS = 0x04 };
enum { SPIF = 0x80, SPI2X = 0x01 };

static uint8_t registers[4];
static bool converting, ready, selected;
static enum line_fault stuck = LINE_FREE;
static int level = 1;
static double other_rate_hz; /* than the registers say, where its oscillator is off */
static int32_t word;
static int bytes_out; /* of the word */
static int transfer;  /* registers still to come in this transfer, positive: to read, negative: to write */
static int address;
static struct converter_report report;

static void show(int wanted)
{
    level = wanted;
    pin_drive(&wiring.ready, stuck == LINE_FREE ? level : (int)stuck);
}

static double rate_hz(void)
{
    static const double normal_hz[8] = { 20, 45, 90, 175, 330, 600, 1000, 1000 };
    bool turbo = (registers[1] >> 3 & 3) == 2;
    return other_rate_hz > 0 ? other_rate_hz : normal_hz[registers[1] >> 5] * (turbo ? 2 : 1);
}

static avr_cycle_count_t convert(avr_t *mcu, avr_cycle_count_t when, void *param)
{
    (void)mcu, (void)param;
    if (!converting) {
        return 0;
    }
    report.conversions++;
    if (bytes_out > 0) {
        report.overwritten++;
    } else if (ready) {
        report.unread++;
        show(1);
    }
    word = converter_word(world_s(when));
    ready = true;
    show(0);
    if (!(registers[1] & CONTINUOUS)) {
        converting = false; /* one shot */
        return 0;
    }
    return when + cycles(1 / rate_hz());
}

static void forget(void)
{
    memset(registers, 0, sizeof registers);
    converting = ready = false;
    show(1);
}

/* One byte each way. */
static uint8_t exchange(uint8_t in)
{
    if (!selected) {
        return 0xff;
    }
    if (transfer > 0) {
        transfer--;
        return registers[address++ & 3];
    }
    if (transfer < 0) {
        transfer++;
        registers[address++ & 3] = in;
        return 0xff;
    }
    if (in == 0) {
        if (!ready && bytes_out == 0) {
            return 0xff;
        }
        if (bytes_out == 0) {
            ready = false;
            show(1);
        }
        uint8_t out = (uint8_t)(word >> (16 - 8 * bytes_out));
        if (++bytes_out == 3) {
            bytes_out = 0;
            report.reads++;
        }
        return out;
    }
    bytes_out = 0;
    address = in >> 2 & 3;
    if ((in & 0xf0) == READ) {
        transfer = (in & 3) + 1;
    } else if ((in & 0xf0) == WRITE) {
        transfer = -((in & 3) + 1);
    } else if ((in & 0xfe) == RESET) {
        forget();
    } else if ((in & 0xfe) == START) {
        converting = true;
        avr_cycle_timer_register(avr, cycles(1 / rate_hz()), convert, NULL);
    }
    return 0xff;
}

static void on_select(struct avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq, (void)param;
    if (!(value & 1) && !selected) {
        transfer = bytes_out = 0;
    }
    selected = !(value & 1);
}

static avr_cycle_count_t byte_is_through(avr_t *mcu, avr_cycle_count_t when, void *param)
{
    (void)when;
    avr_spi_t *spi = param;
    spi->input_data_register = exchange(mcu->data[REG_SPDR]);
    mcu->data[REG_SPSR] |= SPIF;
    return 0;
}

static void on_write(avr_t *mcu, avr_io_addr_t address_written, uint8_t value, void *param)
{
    static const int divisors[4] = { 4, 16, 64, 128 };
    int divisor = divisors[mcu->data[REG_SPCR] & 3] / (mcu->data[REG_SPSR] & SPI2X ? 2 : 1);
    mcu->data[REG_SPSR] &= (uint8_t)~SPIF;
    mcu->data[address_written] = value;
    avr_cycle_timer_register(mcu, (avr_cycle_count_t)(8 * divisor), byte_is_through, param);
}

static void start(void)
{
    static bool connected;
    if (!connected) {
        connected = true;
        avr->io[AVR_DATA_TO_IO(REG_SPDR)].w.c = on_write;
        avr_irq_register_notify(wiring.select.irq, on_select, NULL);
        pin_drive(&wiring.ready, 1);
    }
    pin_redrive(&wiring.ready);
    if (converting) { /* a reset of the MCU does not stop it */
        avr_cycle_timer_register(avr, cycles(1 / rate_hz()), convert, NULL);
    }
}

static void set_stuck(enum line_fault fault)
{
    stuck = fault;
    show(level);
}

static void set_rate(double conversions_hz)
{
    other_rate_hz = conversions_hz;
}

static struct converter_report get_report(void)
{
    return report;
}

const struct converter_model ads1220 = { "ads1220", start, set_stuck, set_rate, forget, get_report };
