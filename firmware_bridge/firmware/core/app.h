/* The whole of the core in two calls; the hardware layer makes them, and hands in bytes and position samples. */
#ifndef APP_H
#define APP_H

#include <stdint.h>

void app_start(uint32_t now_us); /* once, after every reset */
void app_poll(uint32_t now_us);  /* from the main loop, as often as it comes round */

#endif
