/* The wires to the force converter: its ready line at INT0, a clock pin, or the SPI. */
#ifndef CONVERTER_PINS_H
#define CONVERTER_PINS_H

#include <stdbool.h>

void converter_pins_start(void);
bool converter_is_ready(void); /* a conversion waits to be read */

#endif
