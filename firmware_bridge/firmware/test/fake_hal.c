#include "fake_hal.h"

#include <string.h>

#include "../core/app.h"
#include "../core/bytes.h"
#include "../core/control.h"
#include "../core/converter.h"
#include "../core/stream.h"

#ifndef FAKE_CONVERTER
#define FAKE_CONVERTER hx711
#define FAKE_RATE_SPS 80
#endif
const struct converter *const board_converter = &FAKE_CONVERTER;
const uint8_t board_gain = 128;
const uint16_t board_rate_sps = FAKE_RATE_SPS;

struct hal_identity hal_identity;
struct fake fake;
uint8_t sent_bytes[1 << 16];
unsigned n_sent_bytes;
static unsigned n_taken;

uint32_t hal_time_us(void)
{
    return fake.now_us;
}

void hal_wait_us(uint8_t wait_us)
{
    fake.now_us += wait_us;
}

void hal_sample_every(uint16_t period_us)
{
    fake.period_us = period_us;
    *(period_us ? &fake.starts : &fake.stops) += 1;
}

uint8_t hal_tx_free(void)
{
    return fake.tx_free;
}

void hal_tx_put(const uint8_t *bytes, uint8_t n_bytes)
{
    CHECK(n_bytes <= fake.tx_free);
    CHECK(n_sent_bytes + n_bytes <= sizeof sent_bytes);
    memcpy(sent_bytes + n_sent_bytes, bytes, n_bytes);
    n_sent_bytes += n_bytes;
}

void hal_ready_arm(void)
{
    fake.armed = true;
    if (fake.line_low) {
        fake.ready = (struct hal_ready){ fake.now_us, 1 };
    }
}

struct hal_ready hal_ready_take(void)
{
    struct hal_ready taken = fake.ready;
    fake.ready.edges = 0;
    if (taken.edges) {
        fake.armed = false;
    }
    return taken;
}

bool hal_ready_is_low(void)
{
    return fake.line_low;
}

uint8_t hal_clock_pulse(void)
{
    CHECK(!fake.armed); /* data bits must not be taken for ready edges */
    unsigned bit = fake.pulses++ % 25;
    if (bit == 24) {
        fake.now_us += fake.read_takes_us;
        fake.line_low &= fake.trailing_low;
        return !fake.trailing_low;
    }
    return fake.word >> (23 - bit) & 1;
}

void hal_clock_hold(uint8_t hold_us)
{
    CHECK(hold_us > 60); /* or an HX711 does not notice */
    fake.holds++;
}

void hal_spi_select(bool select)
{
    (void)select;
}

uint8_t hal_spi_exchange(uint8_t byte)
{
    return byte;
}

struct hal_counters hal_counters(void)
{
    return fake.counters;
}

bool take_sent(struct sent *frame)
{
    static struct frame_decoder decoder;
    while (n_taken < n_sent_bytes) {
        uint8_t n_bytes = frame_decode(&decoder, sent_bytes[n_taken++]);
        CHECK(decoder.bad == 0);
        if (n_bytes) {
            frame->type = decoder.bytes[0];
            frame->seq = decoder.bytes[1];
            frame->n_bytes = (uint8_t)(n_bytes - 2);
            memcpy(frame->body, decoder.bytes + 2, frame->n_bytes);
            return true;
        }
    }
    return false;
}

bool take_sent_type(uint8_t type, struct sent *frame)
{
    while (take_sent(frame)) {
        if (frame->type == type) {
            return true;
        }
    }
    return false;
}

void forget_sent(void)
{
    n_sent_bytes = n_taken = 0;
}

void fake_start(void)
{
    stream_stop(); /* what was left of the test before */
    hal_identity = (struct hal_identity){ MCU_ATMEGA328P, .reset_cause = 1, .boot_id = 0x1230, .cpu_khz = 16000 };
    fake = (struct fake){ .now_us = 1000000, .tx_free = 255 };
    forget_sent();
    app_start(fake.now_us);
}

void give_command(uint8_t command, uint8_t seq, const uint8_t *body, uint8_t n_bytes)
{
    uint8_t payload[PAYLOAD_MAX_BYTES] = { command, seq };
    uint8_t wire[WIRE_MAX_BYTES];
    if (n_bytes) {
        memcpy(payload + 2, body, n_bytes);
    }
    uint8_t length = frame_encode(payload, (uint8_t)(n_bytes + 2), wire);
    for (uint8_t i = 0; i < length; i++) {
        control_receive(wire[i]);
    }
}

void pass_us(uint32_t duration_us)
{
    while (duration_us) {
        uint32_t step_us = duration_us < 1000 ? duration_us : 1000;
        fake.now_us += step_us;
        duration_us -= step_us;
        app_poll(fake.now_us);
    }
}

uint32_t get_u32(const uint8_t *at)
{
    return get_u16(at) | (uint32_t)get_u16(at + 2) << 16;
}
