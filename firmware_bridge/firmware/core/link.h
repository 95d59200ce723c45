/* One frame out: its sequence number, its room in the transmit ring, and a count of those that found none. */
#ifndef LINK_H
#define LINK_H

#include <stdbool.h>
#include <stdint.h>

struct link_counters {
    uint16_t dropped;  /* frames, saturating */
    uint16_t min_free; /* bytes: least room since the last call of link_take_counters */
};

void link_start(void);
uint8_t *link_body(void);                          /* where the next body is written */
bool link_has_room(uint8_t type, uint8_t n_bytes); /* for a body of this length */
void link_send(uint8_t type, const uint8_t *body_end);
struct link_counters link_take_counters(void);

#endif
