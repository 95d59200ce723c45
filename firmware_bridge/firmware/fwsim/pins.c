/* The wires between the sensors and the MCU's pins, as hal/avr/board.h has them.
   SPDX-License-Identifier: MIT (see fwsim.h) */
#include <string.h>

#include <avr_ioport.h>

#include "fwsim.h"

static const struct wiring boards[] = {
    { "atmega328p", { 'B', 0, 0, 1 }, { 'B', 1, 0, 1 }, { 'D', 2, 0, 1 }, { 'D', 3, 0, 0 }, { 'B', 2, 0, 1 } },
    { "atmega2560", { 'B', 4, 0, 1 }, { 'B', 5, 0, 1 }, { 'D', 0, 0, 1 }, { 'D', 1, 0, 0 }, { 'B', 0, 0, 1 } },
    { "atmega1284p", { 'B', 0, 0, 1 }, { 'B', 1, 0, 1 }, { 'D', 2, 0, 1 }, { 'D', 3, 0, 0 }, { 'B', 4, 0, 1 } },
};
struct wiring wiring;

/* simavr 1.6 applies the MCU's own pull-ups to every input of a port whenever that port is written, over whatever
   drives the pin, except where a pin is marked as driven from outside. */
static struct {
    unsigned mask, levels;
} driven[32];

static void connect(struct pin *pin)
{
    pin->irq = avr_io_getirq(avr, AVR_IOCTL_IOPORT_GETIRQ(pin->port), pin->bit);
}

void pins_connect(const char *mcu)
{
    for (size_t i = 0; i < sizeof boards / sizeof boards[0]; i++) {
        if (!strcmp(boards[i].mcu, mcu)) {
            wiring = boards[i];
        }
    }
    if (!wiring.mcu) {
        fail("no wiring for the MCU %s: atmega328p, atmega2560 or atmega1284p", mcu);
    }
    connect(&wiring.encoder_a);
    connect(&wiring.encoder_b);
    connect(&wiring.ready);
    connect(&wiring.clock);
    connect(&wiring.select);
}

void pin_drive(struct pin *pin, int level)
{
    unsigned *mask = &driven[pin->port & 31].mask, *levels = &driven[pin->port & 31].levels;
    pin->level = level;
    *mask |= 1u << pin->bit;
    *levels = level ? *levels | 1u << pin->bit : *levels & ~(1u << pin->bit);
    avr_ioport_external_t external = { .name = (unsigned)pin->port, .mask = *mask, .value = *levels };
    avr_ioctl(avr, AVR_IOCTL_IOPORT_SET_EXTERNAL(pin->port), &external);
    avr_raise_irq(pin->irq, (uint32_t)level);
}

void pin_redrive(struct pin *pin)
{
    int level = pin->level;
    pin_drive(pin, !level); /* pin IRQs are filtered: only a change gets through */
    pin_drive(pin, level);
}
