#include "uart.h"

#include <avr/interrupt.h>
#include <util/atomic.h>

#include "../../core/bytes.h"
#include "../../core/hal.h"
#include "board.h"

enum { RX_BYTES = 64 };

uint16_t uart_overrun;

static volatile uint8_t tx[256]; /* its 8-bit indices wrap by themselves */
static volatile uint8_t tx_written, tx_sent;
static volatile uint8_t rx[RX_BYTES];
static volatile uint8_t rx_written, rx_taken;

ISR(USART0_UDRE_vect)
{
    uint8_t at = tx_sent;
    UDR0 = tx[at];
    tx_sent = ++at;
    if (at == tx_written) {
        UCSR0B &= ~_BV(UDRIE0);
    }
}

ISR(USART0_RX_vect)
{
    uint8_t trouble = UCSR0A & (_BV(DOR0) | _BV(FE0)); /* of the byte that is read next */
    uint8_t byte = UDR0;
    uint8_t at = rx_written, after = (at + 1) & (RX_BYTES - 1);
    if (trouble || after == rx_taken) {
        count_up(&uart_overrun);
    }
    if (after != rx_taken) {
        rx[at] = byte;
        rx_written = after;
    }
}

uint8_t hal_tx_free(void)
{
    return tx_sent - tx_written - 1;
}

void hal_tx_put(const uint8_t *bytes, uint8_t n_bytes)
{
    uint8_t at = tx_written;
    while (n_bytes--) {
        tx[at++] = *bytes++;
    }
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
    {
        tx_written = at;
        UCSR0B |= _BV(UDRIE0);
    }
}

bool uart_has_byte(void)
{
    return rx_written != rx_taken;
}

uint8_t uart_take_byte(void)
{
    uint8_t byte = rx[rx_taken];
    rx_taken = (rx_taken + 1) & (RX_BYTES - 1);
    return byte;
}

void uart_start(void)
{
    UCSR0A = _BV(U2X0);
    UCSR0C = _BV(UCSZ01) | _BV(UCSZ00); /* 8N1 */
    UBRR0 = BAUD_DIVISOR;               /* after U2X0: simavr works out the byte time when this is written */
    UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
}
