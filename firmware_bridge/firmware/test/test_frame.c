/* Framing and counting: what every byte on the wire goes through. */
#include <string.h>

#include "../core/bytes.h"
#include "../core/quadrature.h"
#include "fake_hal.h"

static void crc_is_ccitt_false(void)
{
    uint16_t crc = FRAME_CRC_START;
    for (const char *c = "123456789"; *c; c++) {
        crc = frame_crc(crc, (uint8_t)*c);
    }
    CHECK(crc == 0x29b1);
}

static uint8_t decode_all(struct frame_decoder *decoder, const uint8_t *wire, uint8_t n_bytes)
{
    uint8_t length = 0;
    unsigned frames = 0;
    for (uint8_t i = 0; i < n_bytes; i++) {
        uint8_t got = frame_decode(decoder, wire[i]);
        length = got ? got : length;
        frames += got != 0;
    }
    CHECK(frames <= 1);
    return length;
}

static void every_payload_comes_back(void)
{
    struct frame_decoder decoder = { .n_bytes = 0 };
    for (unsigned round = 0; round < 60000; round++) {
        uint8_t payload[PAYLOAD_MAX_BYTES], wire[WIRE_MAX_BYTES];
        uint8_t n_bytes = (uint8_t)(2 + rand() % 59);
        for (uint8_t i = 0; i < n_bytes; i++) {
            payload[i] = rand() % 3 ? (uint8_t)rand() : 0;
        }
        uint8_t length = frame_encode(payload, n_bytes, wire);
        CHECK(length == n_bytes + 4);
        CHECK(!memchr(wire, 0, length - 1u) && wire[length - 1] == 0);
        CHECK(decode_all(&decoder, wire, length) == n_bytes);
        CHECK(!memcmp(decoder.bytes, payload, n_bytes));
    }
    CHECK(decoder.bad == 0);
}

/* One flipped bit may split a frame, and a fragment may by chance carry a CRC that fits: never of the full length. */
static void a_flipped_bit_never_gives_a_frame_of_its_length(void)
{
    struct frame_decoder decoder = { .n_bytes = 0 };
    for (unsigned round = 0; round < 60000; round++) {
        uint8_t payload[PAYLOAD_MAX_BYTES], wire[WIRE_MAX_BYTES + 1];
        uint8_t n_bytes = (uint8_t)(2 + rand() % 59);
        for (uint8_t i = 0; i < n_bytes; i++) {
            payload[i] = (uint8_t)rand();
        }
        uint8_t length = frame_encode(payload, n_bytes, wire);
        wire[rand() % (length - 1)] ^= (uint8_t)(1 << rand() % 8);
        uint8_t got = 0;
        for (uint8_t i = 0; i < length; i++) {
            uint8_t here = frame_decode(&decoder, wire[i]);
            got = here > got ? here : got;
        }
        CHECK(got != n_bytes);
    }
    CHECK(decoder.bad > 50000);
}

static void noise_is_counted_and_ends(void)
{
    struct frame_decoder decoder = { .n_bytes = 0 };
    for (unsigned i = 0; i < 1000; i++) {
        CHECK(!frame_decode(&decoder, 0xff));
    }
    CHECK(!frame_decode(&decoder, 0) && decoder.bad == 1);
    CHECK(!frame_decode(&decoder, 0) && decoder.bad == 1); /* a lone zero is no frame */
    uint8_t wire[WIRE_MAX_BYTES];
    uint8_t length = frame_encode((const uint8_t[]){ 1, 2, 3 }, 3, wire);
    CHECK(decode_all(&decoder, wire, length) == 3);
    decoder.bad = UINT16_MAX;
    frame_decode(&decoder, 9);
    frame_decode(&decoder, 0);
    CHECK(decoder.bad == UINT16_MAX);
}

static void quadrature_counts_every_edge(void)
{
    static const uint8_t up[4] = { 0, 1, 3, 2 };
    struct quadrature encoder = { .lines = 0 };
    for (int turn = 1; turn <= 400; turn++) {
        quadrature_step(&encoder, up[turn & 3]);
        CHECK(encoder.count == turn);
    }
    for (int turn = 399; turn >= -400; turn--) {
        quadrature_step(&encoder, up[turn & 3]);
        CHECK(encoder.count == turn);
    }
    CHECK(encoder.illegal == 0);
    for (uint8_t old = 0; old < 4; old++) {
        for (uint8_t new = 0; new < 4; new++) {
            struct quadrature one = { .lines = old };
            quadrature_step(&one, new);
            bool both = (old ^ new) == 3;
            CHECK(one.illegal == both && one.lines == new);
            CHECK(abs((int)one.count) == (old != new && !both));
        }
    }
    encoder.illegal = UINT16_MAX;
    quadrature_step(&encoder, encoder.lines ^ 3);
    CHECK(encoder.illegal == UINT16_MAX);
}

static void counters_stop_at_their_end(void)
{
    uint16_t counter = UINT16_MAX - 1;
    count_up(&counter);
    count_up(&counter);
    CHECK(counter == UINT16_MAX);
}

int main(void)
{
    crc_is_ccitt_false();
    every_payload_comes_back();
    a_flipped_bit_never_gives_a_frame_of_its_length();
    noise_is_counted_and_ends();
    quadrature_counts_every_edge();
    counters_stop_at_their_end();
    puts("framing and counting: good");
    return 0;
}
