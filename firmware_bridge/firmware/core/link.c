/* Sends whole frames or nothing. A frame without room is dropped, but it uses its sequence number, so the host sees the
   gap. Samples leave a reserve for control frames; otherwise an overloaded link could not report it. */
#include "link.h"

#include "bytes.h"
#include "frame.h"
#include "hal.h"

enum { CONTROL_RESERVE_BYTES = 64 }; /* a HELLO and a STATUS */
enum { BODY_AT = 2 };

static uint8_t seq;
static uint8_t payload[PAYLOAD_MAX_BYTES];
static struct link_counters counters;

void link_start(void)
{
    static const uint8_t clear_line[] = { 0 };
    seq = 0;
    counters = (struct link_counters){ 0, UINT16_MAX };
    hal_tx_put(clear_line, sizeof clear_line); /* ends a frame that the reset cut off */
}

uint8_t *link_body(void)
{
    return payload + BODY_AT;
}

static bool is_sample(uint8_t type)
{
    return type == MESSAGE_POSITION || type == MESSAGE_FORCE;
}

bool link_has_room(uint8_t type, uint8_t n_bytes)
{
    uint8_t free_bytes = hal_tx_free();
    if (free_bytes < counters.min_free) {
        counters.min_free = free_bytes;
    }
    return free_bytes >= n_bytes + FRAME_OVERHEAD_BYTES + (is_sample(type) ? CONTROL_RESERVE_BYTES : 0);
}

void link_send(uint8_t type, const uint8_t *body_end)
{
    uint8_t n_bytes = (uint8_t)(body_end - payload);
    payload[0] = type;
    payload[1] = seq++;
    if (!link_has_room(type, (uint8_t)(n_bytes - BODY_AT))) {
        count_up(&counters.dropped);
        return;
    }
    uint8_t wire[WIRE_MAX_BYTES];
    hal_tx_put(wire, frame_encode(payload, n_bytes, wire));
}

struct link_counters link_take_counters(void)
{
    struct link_counters taken = counters;
    counters.min_free = UINT16_MAX;
    return taken;
}
