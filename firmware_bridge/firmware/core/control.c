/* The host repeats commands until they are acknowledged, so each may come twice and must do no harm then.

   HELLO, STATUS and EVENT wait here until the link has room for them; ACK and PONG are worth something only now. */
#include "control.h"

#include <stdbool.h>

#include "bytes.h"
#include "converter.h"
#include "force.h"
#include "frame.h"
#include "hal.h"
#include "link.h"
#include "protocol.h"
#include "stream.h"
#include "version.h"

#define STATUS_EVERY_US UINT32_C(1000000)
#define EVENT_EVERY_US UINT32_C(100000)

static struct frame_decoder decoder;
static bool hello_waits, status_waits;
static uint32_t status_due_us, event_sent_us;
static uint16_t illegal_told;
static struct {
    bool waits;
    uint32_t argument, t_us;
} events[EVENT_CODES];

void control_start(uint32_t now_us)
{
    decoder = (struct frame_decoder){ .n_bytes = 0 };
    hello_waits = true;
    status_waits = false;
    status_due_us = now_us + STATUS_EVERY_US;
    event_sent_us = now_us - EVENT_EVERY_US;
    illegal_told = 0;
    for (uint8_t i = 0; i < EVENT_CODES; i++) {
        events[i].waits = false;
    }
}

static void send_hello(void)
{
    uint8_t *at = put_u8(link_body(), PROTOCOL_VERSION);
    at = put_u8(at, FIRMWARE_MAJOR);
    at = put_u8(at, FIRMWARE_MINOR);
    at = put_u8(at, FIRMWARE_PATCH);
    at = put_u8(at, hal_identity.mcu);
    at = put_u8(at, hal_identity.reset_cause);
    at = put_u16(at, hal_identity.boot_id);
    at = put_u32(at, hal_identity.serial);
    at = put_u8(at, board_converter->type);
    at = put_u16(at, force_rate_sps());
    at = put_u16(at, CAN_POSITION | CAN_FORCE | CAN_SET_ADC);
    at = put_u16(at, hal_identity.cpu_khz);
    at = put_u32(at, hal_identity.build);
    at = put_u32(at, hal_time_us());
    link_send(MESSAGE_HELLO, at);
}

static void send_status(void)
{
    struct link_counters link = link_take_counters();
    struct hal_counters hal = hal_counters();
    struct force_health force = force_health();
    uint16_t rx_bad = decoder.bad;

    uint8_t *at = put_u32(link_body(), hal_time_us());
    at = put_u16(at, hal_identity.boot_id);
    at = put_u16(at, link.dropped);
    at = put_u16(at, hal.samples_overrun);
    at = put_u16(at, hal.encoder_illegal);
    at = put_u16(at, force.timeouts);
    at = put_u16(at, force.desyncs);
    at = put_u16(at, hal.rx_overrun);
    at = put_u16(at, rx_bad);
    at = put_u16(at, link.min_free);
    at = put_u8(at, (uint8_t)((stream_is_on() ? STATUS_STREAMING : 0) | (force.lost ? STATUS_ADC_FAULT : 0)));
    link_send(MESSAGE_STATUS, at);
}

static void send_event(uint8_t code, uint32_t argument, uint32_t t_us)
{
    uint8_t *at = put_u8(link_body(), code);
    at = put_u32(at, argument);
    at = put_u32(at, t_us);
    link_send(MESSAGE_EVENT, at);
}

static void send_ack(uint8_t command, uint8_t command_seq, uint8_t result)
{
    uint8_t *at = put_u8(link_body(), command);
    at = put_u8(at, command_seq);
    at = put_u8(at, result);
    link_send(MESSAGE_ACK, at);
}

static void send_pong(const uint8_t *token)
{
    uint32_t received_us = hal_time_us();
    uint8_t *at = link_body();
    for (uint8_t i = 0; i < PING_BYTES; i++) {
        at = put_u8(at, token[i]);
    }
    at = put_u32(at, received_us);
    at = put_u32(at, hal_time_us());
    link_send(MESSAGE_PONG, at);
}

static uint8_t start(const uint8_t *body)
{
    struct stream_setting wanted = { body[0], get_u16(body + 1), body[3], body[4] };
    if (wanted.streams == 0 || wanted.streams > (STREAM_POSITION | STREAM_FORCE) || wanted.batch < 1 ||
        wanted.batch > POSITION_MAX_SAMPLES || wanted.period_us < PERIOD_MIN_US || wanted.period_us > PERIOD_MAX_US) {
        return RESULT_ARGUMENT;
    }
    stream_start(wanted);
    return RESULT_OK;
}

/* Body length of each command; a frame of another length is none of ours, whatever its CRC says. */
static int8_t command_bytes(uint8_t command)
{
    switch (command) {
    case COMMAND_START: return START_BYTES;
    case COMMAND_PING: return PING_BYTES;
    case COMMAND_SET_ADC: return SET_ADC_BYTES;
    case COMMAND_HELLO:
    case COMMAND_STOP:
    case COMMAND_STATUS: return 0;
    default: return -1;
    }
}

void control_receive(uint8_t byte)
{
    uint8_t n_bytes = frame_decode(&decoder, byte);
    if (n_bytes == 0) {
        return;
    }
    uint8_t command = decoder.bytes[0], seq = decoder.bytes[1];
    const uint8_t *body = decoder.bytes + 2;
    int8_t wanted_bytes = command_bytes(command);
    if (wanted_bytes < 0) {
        send_ack(command, seq, RESULT_UNKNOWN);
        return;
    }
    if (n_bytes != wanted_bytes + 2) {
        count_up(&decoder.bad);
        send_ack(command, seq, RESULT_ARGUMENT);
        return;
    }
    switch (command) {
    case COMMAND_HELLO:
        hello_waits = true;
        break;
    case COMMAND_STATUS:
        status_waits = true;
        break;
    case COMMAND_PING:
        send_pong(body);
        break;
    case COMMAND_START:
        send_ack(command, seq, start(body));
        break;
    case COMMAND_STOP:
        stream_stop();
        send_ack(command, seq, RESULT_OK);
        break;
    case COMMAND_SET_ADC:
        send_ack(command, seq, force_configure(body[0], get_u16(body + 1)) ? RESULT_OK : RESULT_ARGUMENT);
        break;
    }
}

void control_event(uint8_t code, uint32_t argument, uint32_t t_us)
{
    events[code - 1].argument = argument;
    events[code - 1].t_us = t_us;
    events[code - 1].waits = true;
}

static void poll_events(uint32_t now_us)
{
    uint16_t illegal = hal_counters().encoder_illegal;
    if (illegal != illegal_told) {
        illegal_told = illegal;
        control_event(EVENT_ENCODER_ILLEGAL, illegal, now_us);
    }
    for (uint8_t i = 0; i < EVENT_CODES; i++) {
        if (events[i].waits && now_us - event_sent_us >= EVENT_EVERY_US && link_has_room(MESSAGE_EVENT, EVENT_BYTES)) {
            events[i].waits = false;
            event_sent_us = now_us;
            send_event((uint8_t)(i + 1), events[i].argument, events[i].t_us);
        }
    }
}

void control_poll(uint32_t now_us)
{
    if ((int32_t)(now_us - status_due_us) >= 0) {
        status_due_us += STATUS_EVERY_US;
        status_waits = true;
    }
    if (hello_waits && link_has_room(MESSAGE_HELLO, HELLO_BYTES)) {
        hello_waits = false;
        send_hello();
    }
    if (status_waits && link_has_room(MESSAGE_STATUS, STATUS_BYTES)) {
        status_waits = false;
        send_status();
    }
    poll_events(now_us);
}
