/* A hardware layer that a test controls. */
#ifndef FAKE_HAL_H
#define FAKE_HAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../core/frame.h"
#include "../core/hal.h"

#define CHECK(condition)                                                          \
    do {                                                                          \
        if (!(condition)) {                                                       \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                              \
        }                                                                         \
    } while (0)

struct fake {
    uint32_t now_us;
    uint8_t tx_free;
    uint16_t period_us;          /* of the last hal_sample_every() */
    unsigned starts, stops;      /* calls of it with and without a period */
    struct hal_counters counters;
    /* the converter, an HX711 by its pins */
    struct hal_ready ready;
    bool line_low, armed;
    uint32_t word;               /* what it will shift out, 24 bits */
    bool trailing_low;           /* as after a lost clock pulse */
    uint32_t read_takes_us;
    unsigned pulses, holds;
};
extern struct fake fake;

/* What the core has sent since the last call, decoded again: payloads of type, seq and body. */
struct sent {
    uint8_t type, seq, n_bytes; /* length of the body */
    uint8_t body[BODY_MAX_BYTES];
};
bool take_sent(struct sent *frame);       /* the oldest; false where there is none */
bool take_sent_type(uint8_t type, struct sent *frame); /* skips others */
void forget_sent(void);
extern uint8_t sent_bytes[1 << 16];
extern unsigned n_sent_bytes;

void fake_start(void);                    /* a fresh core at time 1 s, room for everything */
void give_command(uint8_t command, uint8_t seq, const uint8_t *body, uint8_t n_bytes);
void pass_us(uint32_t duration_us);       /* polls once a millisecond */
uint32_t get_u32(const uint8_t *at);

#endif
