/* A block is sent when it is full, when the next sample does not continue it, or when it is too old. */
#include "stream.h"

#include "bytes.h"
#include "force.h"
#include "hal.h"
#include "link.h"
#include "protocol.h"

#define FORCE_BLOCK_US UINT32_C(10000)     /* length of a force block: few frames even for fast converters */
#define FORCE_BLOCK_OLD_US UINT32_C(50000) /* and are sent at this age, full or not */

static struct stream_setting setting;
static bool on;

static struct {
    uint32_t first_us;
    uint16_t first_index;
    int32_t first_count, last_count;
    uint8_t n;
    uint8_t deltas[2 * (POSITION_MAX_SAMPLES - 1)];
} position;

static struct {
    uint32_t first_us, last_us;
    uint16_t first_index, next_index;
    uint8_t n, flags;
    uint8_t words[3 * FORCE_MAX_SAMPLES];
} force;

static uint8_t *copy(uint8_t *to, const uint8_t *from, uint8_t n_bytes)
{
    while (n_bytes--) {
        *to++ = *from++;
    }
    return to;
}

static void send_position(void)
{
    if (position.n == 0) {
        return;
    }
    uint8_t *at = put_u8(link_body(), setting.id);
    at = put_u16(at, position.first_index);
    at = put_u32(at, position.first_us);
    at = put_u16(at, setting.period_us);
    at = put_u8(at, position.n);
    at = put_u32(at, (uint32_t)position.first_count);
    at = copy(at, position.deltas, (uint8_t)(2 * (position.n - 1)));
    position.n = 0;
    link_send(MESSAGE_POSITION, at);
}

static void send_force(void)
{
    if (force.n == 0) {
        return;
    }
    uint8_t *at = put_u8(link_body(), setting.id);
    at = put_u16(at, force.first_index);
    at = put_u32(at, force.first_us);
    at = put_u16(at, (uint16_t)(force.last_us - force.first_us));
    at = put_u8(at, force.n);
    at = put_u8(at, force.flags);
    at = copy(at, force.words, (uint8_t)(3 * force.n));
    force.n = 0;
    link_send(MESSAGE_FORCE, at);
}

void stream_start(struct stream_setting wanted)
{
    if (on && wanted.id == setting.id) {
        return;
    }
    setting = wanted;
    position.n = force.n = 0; /* an unfinished block would belong to neither stream */
    force.next_index = 0;
    on = true;
    hal_sample_every(setting.streams & STREAM_POSITION ? setting.period_us : 0);
}

void stream_stop(void)
{
    hal_sample_every(0);
    send_position();
    send_force();
    on = false;
}

bool stream_is_on(void)
{
    return on;
}

void stream_poll(uint32_t now_us)
{
    if (force.n && now_us - force.first_us > FORCE_BLOCK_OLD_US) {
        send_force();
    }
}

void stream_position(uint16_t index, uint32_t t_us, int32_t count)
{
    if (!on) {
        return; /* taken before the stop */
    }
    int32_t delta = count - position.last_count;
    if (index != (uint16_t)(position.first_index + position.n) || delta > INT16_MAX || delta < INT16_MIN) {
        send_position();
    }
    if (position.n == 0) {
        position.first_us = t_us;
        position.first_index = index;
        position.first_count = count;
    } else {
        put_u16(position.deltas + 2 * (position.n - 1), (uint16_t)delta);
    }
    position.last_count = count;
    if (++position.n >= setting.batch) {
        send_position();
    }
}

static uint8_t force_batch(void)
{
    uint32_t wanted = FORCE_BLOCK_US * force_rate_sps() / UINT32_C(1000000);
    return wanted < 1 ? 1 : wanted > FORCE_MAX_SAMPLES ? FORCE_MAX_SAMPLES : (uint8_t)wanted;
}

void stream_force(uint32_t t_us, int32_t raw, uint8_t flags, uint8_t missed)
{
    if (!on || !(setting.streams & STREAM_FORCE)) {
        return;
    }
    if (missed || flags != force.flags || t_us - force.first_us > UINT16_MAX) {
        send_force();
    }
    force.next_index = (uint16_t)(force.next_index + missed);
    if (force.n == 0) {
        force.first_us = t_us;
        force.first_index = force.next_index;
        force.flags = flags;
    }
    put_u24(force.words + 3 * force.n, (uint32_t)raw);
    force.last_us = t_us;
    force.next_index++;
    if (++force.n >= force_batch() || flags) {
        send_force(); /* faults are reported at once */
    }
}
