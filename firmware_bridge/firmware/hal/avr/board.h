/* All pins and options of a board, drawn in README.md. To move a wire, change it here only. */
#ifndef BOARD_H
#define BOARD_H

#include <avr/io.h>

#include "../../core/protocol.h"

/* --- options, each can be given to make --- */
#ifndef BAUD
#define BAUD 500000UL /* exact at 16 MHz; 115200 is 2.1 % off and carries 500 Hz in blocks of 10 */
#endif
#ifndef BOARD_CONVERTER
#define BOARD_CONVERTER hx711 /* or ads1220 */
#endif
#ifndef BOARD_RATE_SPS
#define BOARD_RATE_SPS 80 /* HX711: as its RATE pin is strapped, 10 or 80 */
#endif
#ifndef BOARD_GAIN
#define BOARD_GAIN 128
#endif
#ifndef BOARD_SERIAL
#define BOARD_SERIAL 0 /* the board's serial number; 0: none */
#endif
#ifndef BOARD_BUILD
#define BOARD_BUILD 0 /* make puts the first 32 bits of the sources' SHA-256 here */
#endif

/* --- pins ---
   ENCODER_A and _B: two adjacent bits of a port whose pin-change interrupt is not used otherwise
   READY: DOUT of the HX711 or DRDY of the ADS1220, at INT0      CLOCK: SCK of the HX711
   SPI_*: the hardware SPI, for the ADS1220 */
#if defined(__AVR_ATmega328P__) /* Uno, Nano */
#define BOARD_MCU MCU_ATMEGA328P
#define ENCODER_PORT PORTB /* A = D8, B = D9 */
#define ENCODER_PINS PINB
#define ENCODER_SHIFT 0
#define ENCODER_MASK PCMSK0
#define ENCODER_ENABLE PCIE0
#define ENCODER_FLAG PCIF0
#define ENCODER_vect PCINT0_vect
#define READY_BIT PD2 /* D2 */
#define CLOCK_BIT PD3 /* D3 */
#define SPI_PORT PORTB
#define SPI_DIRECTION DDRB
#define SPI_SELECT PB2 /* D10 */
#define SPI_OUT PB3    /* D11 */
#define SPI_IN PB4     /* D12 */
#define SPI_CLOCK PB5  /* D13 */
#define USART0_UDRE_vect USART_UDRE_vect
#define USART0_RX_vect USART_RX_vect

#elif defined(__AVR_ATmega2560__) /* Mega */
#define BOARD_MCU MCU_ATMEGA2560
#define ENCODER_PORT PORTB /* A = D10, B = D11 */
#define ENCODER_PINS PINB
#define ENCODER_SHIFT 4
#define ENCODER_MASK PCMSK0
#define ENCODER_ENABLE PCIE0
#define ENCODER_FLAG PCIF0
#define ENCODER_vect PCINT0_vect
#define READY_BIT PD0 /* D21 */
#define CLOCK_BIT PD1 /* D20 */
#define SPI_PORT PORTB
#define SPI_DIRECTION DDRB
#define SPI_SELECT PB0 /* D53 */
#define SPI_OUT PB2    /* D51 */
#define SPI_IN PB3     /* D50 */
#define SPI_CLOCK PB1  /* D52 */

#elif defined(__AVR_ATmega1284P__)
#define BOARD_MCU MCU_ATMEGA1284P
#define ENCODER_PORT PORTB /* A = PB0, B = PB1 */
#define ENCODER_PINS PINB
#define ENCODER_SHIFT 0
#define ENCODER_MASK PCMSK1
#define ENCODER_ENABLE PCIE1
#define ENCODER_FLAG PCIF1
#define ENCODER_vect PCINT1_vect
#define READY_BIT PD2
#define CLOCK_BIT PD3
#define SPI_PORT PORTB
#define SPI_DIRECTION DDRB
#define SPI_SELECT PB4
#define SPI_OUT PB5
#define SPI_IN PB6
#define SPI_CLOCK PB7

#else
#error "no pins for this MCU: add it to board.h"
#endif

/* READY and CLOCK are on port D on all of them. */
#define READY_PORT PORTD
#define READY_PINS PIND
#define CLOCK_PORT PORTD
#define CLOCK_DIRECTION DDRD

/* The UART's nearest divisor; an error if the rate would be too far off for the other end. */
#define BAUD_DIVISOR ((F_CPU + 4UL * BAUD) / (8UL * BAUD) - 1)
#define BAUD_REAL (F_CPU / (8UL * (BAUD_DIVISOR + 1)))
#if BAUD_REAL * 1000UL > BAUD * 1022UL || BAUD_REAL * 1000UL < BAUD * 978UL
#error "this clock cannot make this baud rate within 2.2 %"
#endif

#endif
