/* Decides when to read the force converter, and how far to trust its value. */
#ifndef FORCE_H
#define FORCE_H

#include <stdbool.h>
#include <stdint.h>

struct force_health {
    uint16_t timeouts; /* saturating */
    uint16_t desyncs;  /* saturating */
    bool lost;         /* the converter does not answer */
};

void force_start(uint32_t now_us);
void force_poll(uint32_t now_us);
bool force_configure(uint8_t gain, uint16_t rate_sps); /* false: this chip has no such setting */
uint16_t force_rate_sps(void);
struct force_health force_health(void);

#endif
