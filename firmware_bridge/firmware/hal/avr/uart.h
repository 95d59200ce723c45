/* UART 0, with one ring for each direction. */
#ifndef UART_H
#define UART_H

#include <stdbool.h>
#include <stdint.h>

extern uint16_t uart_overrun; /* bytes lost or damaged on their way in; read it with interrupts off */

void uart_start(void);
bool uart_has_byte(void);
uint8_t uart_take_byte(void); /* only if there is one */

#endif
