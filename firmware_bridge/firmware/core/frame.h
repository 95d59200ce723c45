/* Payloads to wire bytes and back: CRC-16/CCITT-FALSE inside COBS, ended by a zero. */
#ifndef FRAME_H
#define FRAME_H

#include <stdint.h>

#include "protocol.h"

/* One step of the CRC; it starts at FRAME_CRC_START, and "123456789" gives 0x29b1. */
#define FRAME_CRC_START 0xffffu
uint16_t frame_crc(uint16_t crc, uint8_t byte);

/* Write the frame of `n_bytes` of type, seq and body (at most 60) to `wire`; returns its length with the zero. */
uint8_t frame_encode(const uint8_t *payload, uint8_t n_bytes, uint8_t wire[WIRE_MAX_BYTES]);

struct frame_decoder {
    uint8_t bytes[PAYLOAD_MAX_BYTES + 1]; /* the COBS block; after a good frame type, seq and body */
    uint8_t n_bytes;
    uint8_t overlong;
    uint16_t bad; /* frames thrown away, saturating */
};

/* Eat one byte; returns the length of type, seq and body when it completes a good frame, else 0. */
uint8_t frame_decode(struct frame_decoder *decoder, uint8_t byte);

#endif
