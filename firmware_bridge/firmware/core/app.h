/* The core in two calls, made by the hardware layer, which also hands in bytes and position samples. */
#ifndef APP_H
#define APP_H

#include <stdint.h>

void app_start(uint32_t now_us); /* once, after every reset */
void app_poll(uint32_t now_us);  /* in each round of the main loop */

#endif
