/* Commands in, answers out: HELLO, STATUS, PONG, ACK, EVENT. */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdint.h>

void control_start(uint32_t now_us); /* after every reset; sends HELLO */
void control_receive(uint8_t byte);
void control_poll(uint32_t now_us);

/* Report an event; the newest of each code waits until the last report is 100 ms old. */
void control_event(uint8_t code, uint32_t argument, uint32_t t_us);

#endif
