#include "frame.h"

#include "bytes.h"

uint16_t frame_crc(uint16_t crc, uint8_t byte)
{
    /* The polynomial 0x1021 folded into shifts: no table in a small flash, no loop over bits. */
    crc = (uint16_t)((crc >> 8) | (crc << 8));
    crc ^= byte;
    crc ^= (uint16_t)((crc & 0xff) >> 4);
    crc ^= (uint16_t)(crc << 12);
    crc ^= (uint16_t)((crc & 0xff) << 5);
    return crc;
}

uint8_t frame_encode(const uint8_t *payload, uint8_t n_bytes, uint8_t wire[WIRE_MAX_BYTES])
{
    uint8_t *code = wire; /* where the distance to the next zero is written */
    uint8_t *end = wire + 1;
    uint16_t crc = FRAME_CRC_START;
    for (uint8_t i = 0; i < n_bytes + 2; i++) {
        uint8_t byte;
        if (i < n_bytes) {
            byte = payload[i];
            crc = frame_crc(crc, byte);
        } else {
            byte = (uint8_t)crc;
            crc >>= 8;
        }
        if (byte) {
            *end++ = byte;
        } else {
            *code = (uint8_t)(end - code);
            code = end++;
        }
    }
    *code = (uint8_t)(end - code);
    *end++ = 0;
    return (uint8_t)(end - wire);
}

/* Undo COBS in place; returns the plain length, or 0 if the block is not COBS. */
static uint8_t unstuff(uint8_t *bytes, uint8_t n_bytes)
{
    uint8_t from = 0, to = 0;
    while (from < n_bytes) {
        uint8_t code = bytes[from++];
        if (code - 1 > n_bytes - from) {
            return 0;
        }
        while (--code) {
            bytes[to++] = bytes[from++];
        }
        if (from < n_bytes) {
            bytes[to++] = 0;
        }
    }
    return to;
}

uint8_t frame_decode(struct frame_decoder *decoder, uint8_t byte)
{
    if (byte) {
        if (decoder->n_bytes < sizeof decoder->bytes) {
            decoder->bytes[decoder->n_bytes++] = byte;
        } else {
            decoder->overlong = 1;
        }
        return 0;
    }
    uint8_t n_bytes = decoder->n_bytes;
    uint8_t overlong = decoder->overlong;
    decoder->n_bytes = decoder->overlong = 0;
    if (n_bytes == 0) {
        return 0; /* the other side sends a lone zero to clear the line */
    }
    n_bytes = overlong ? 0 : unstuff(decoder->bytes, n_bytes);
    if (n_bytes >= 4) {
        uint16_t crc = FRAME_CRC_START;
        for (uint8_t i = 0; i < n_bytes - 2; i++) {
            crc = frame_crc(crc, decoder->bytes[i]);
        }
        if (crc == get_u16(decoder->bytes + n_bytes - 2)) {
            return (uint8_t)(n_bytes - 2);
        }
    }
    count_up(&decoder->bad);
    return 0;
}
