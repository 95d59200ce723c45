/* Commands, blocks and the link: what the host can rely on. */
#include <string.h>

#include "../core/bytes.h"
#include "../core/control.h"
#include "../core/stream.h"
#include "fake_hal.h"

static struct sent frame;

static void start(uint8_t streams, uint16_t period_us, uint8_t batch, uint8_t stream_id, uint8_t seq)
{
    uint8_t body[START_BYTES] = { streams, (uint8_t)period_us, (uint8_t)(period_us >> 8), batch, stream_id };
    give_command(COMMAND_START, seq, body, sizeof body);
}

static void check_ack(uint8_t command, uint8_t seq, uint8_t result)
{
    CHECK(take_sent_type(MESSAGE_ACK, &frame) && frame.n_bytes == ACK_BYTES);
    CHECK(frame.body[0] == command && frame.body[1] == seq && frame.body[2] == result);
}

static void hello_comes_first_after_a_zero(void)
{
    fake_start();
    pass_us(1000);
    CHECK(sent_bytes[0] == 0);
    CHECK(take_sent(&frame) && frame.type == MESSAGE_HELLO && frame.seq == 0 && frame.n_bytes == HELLO_BYTES);
    CHECK(frame.body[0] == PROTOCOL_VERSION && get_u16(frame.body + 6) == 0x1230);
}

static void status_comes_every_second(void)
{
    fake_start();
    pass_us(10500000);
    unsigned n = 0;
    uint32_t last_us = 1000000;
    while (take_sent_type(MESSAGE_STATUS, &frame)) {
        CHECK(frame.n_bytes == STATUS_BYTES);
        CHECK(get_u32(frame.body) - last_us >= 999000 && get_u32(frame.body) - last_us <= 1001000);
        last_us = get_u32(frame.body);
        n++;
    }
    CHECK(n == 10);
}

static void start_is_acknowledged_and_idempotent(void)
{
    fake_start();
    start(3, 2000, 5, 9, 41);
    check_ack(COMMAND_START, 41, RESULT_OK);
    CHECK(fake.period_us == 2000 && fake.starts == 1);
    start(3, 2000, 5, 9, 42); /* repeated because an ACK was lost: the stream must not begin anew */
    check_ack(COMMAND_START, 42, RESULT_OK);
    CHECK(fake.starts == 1);
    stream_position(0, 2000, 0);
    start(3, 2000, 5, 10, 43);
    CHECK(!take_sent_type(MESSAGE_POSITION, &frame)); /* the unfinished block is dropped */
    start(3, 2000, 5, 10, 43);
    check_ack(COMMAND_START, 43, RESULT_OK);
    CHECK(fake.starts == 2);
    give_command(COMMAND_STOP, 44, NULL, 0);
    check_ack(COMMAND_STOP, 44, RESULT_OK);
    CHECK(fake.period_us == 0);
    give_command(COMMAND_STOP, 45, NULL, 0);
    check_ack(COMMAND_STOP, 45, RESULT_OK);
}

static void nonsense_is_refused(void)
{
    static const struct {
        uint8_t streams;
        uint16_t period_us;
        uint8_t batch;
    } bad[] = { { 0, 2000, 5 }, { 4, 2000, 5 }, { 3, 399, 5 }, { 3, 30001, 5 }, { 3, 2000, 0 }, { 3, 2000, 16 } };
    fake_start();
    for (uint8_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        start(bad[i].streams, bad[i].period_us, bad[i].batch, 1, i);
        check_ack(COMMAND_START, i, RESULT_ARGUMENT);
    }
    CHECK(fake.starts == 0);
    give_command(0x8f, 7, NULL, 0);
    check_ack(0x8f, 7, RESULT_UNKNOWN);
    give_command(COMMAND_PING, 8, (const uint8_t[]){ 1, 2, 3 }, 3);
    check_ack(COMMAND_PING, 8, RESULT_ARGUMENT);
    give_command(COMMAND_SET_ADC, 9, (const uint8_t[]){ 128, 64, 1 }, 3); /* 320 SPS: an HX711 has a strap for that */
    check_ack(COMMAND_SET_ADC, 9, RESULT_ARGUMENT);
    give_command(COMMAND_SET_ADC, 10, (const uint8_t[]){ 64, 80, 0 }, 3);
    check_ack(COMMAND_SET_ADC, 10, RESULT_OK);
}

static void ping_returns_its_token(void)
{
    fake_start();
    give_command(COMMAND_PING, 1, (const uint8_t[]){ 0x78, 0x56, 0, 0x12 }, 4);
    CHECK(take_sent_type(MESSAGE_PONG, &frame) && frame.n_bytes == PONG_BYTES);
    CHECK(get_u32(frame.body) == 0x12005678 && get_u32(frame.body + 4) == fake.now_us);
}

static void blocks_close_when_full_broken_or_stopped(void)
{
    fake_start();
    start(1, 1000, 5, 2, 0);
    forget_sent();
    for (uint16_t i = 0; i < 5; i++) {
        stream_position(i, 5000 + 1000u * i, -3 + i);
    }
    CHECK(take_sent(&frame) && frame.type == MESSAGE_POSITION && frame.n_bytes == 14 + 2 * 4);
    CHECK(frame.body[0] == 2 && get_u16(frame.body + 1) == 0 && get_u32(frame.body + 3) == 5000);
    CHECK(get_u16(frame.body + 7) == 1000 && frame.body[9] == 5 && (int32_t)get_u32(frame.body + 10) == -3);

    stream_position(5, 10000, 0);
    stream_position(7, 12000, 0); /* 6 could not be taken */
    CHECK(take_sent(&frame) && frame.body[9] == 1 && get_u16(frame.body + 1) == 5);
    stream_position(8, 13000, 32767);
    CHECK(!take_sent(&frame));
    stream_position(9, 14000, -2); /* a step that no 16 bits hold */
    CHECK(take_sent(&frame) && frame.body[9] == 2 && get_u16(frame.body + 1) == 7);
    give_command(COMMAND_STOP, 1, NULL, 0);
    CHECK(take_sent(&frame) && frame.type == MESSAGE_POSITION && frame.body[9] == 1 && get_u16(frame.body + 1) == 9);
    stream_position(10, 15000, 0);
    CHECK(!take_sent_type(MESSAGE_POSITION, &frame));
}

static void samples_leave_room_for_control(void)
{
    fake_start();
    pass_us(1000);
    start(1, 1000, 1, 1, 0);
    forget_sent();
    fake.tx_free = 70; /* room for a frame, but not beside the reserve */
    for (uint16_t i = 0; i < 300; i++) {
        stream_position(i, 1000u * i, i);
    }
    CHECK(!take_sent(&frame));
    give_command(COMMAND_STATUS, 1, NULL, 0);
    pass_us(1000);
    CHECK(take_sent(&frame) && frame.type == MESSAGE_STATUS);
    CHECK(get_u16(frame.body + 6) == 300 && get_u16(frame.body + 20) == 70);
    CHECK(frame.seq == (uint8_t)(2 + 300)); /* HELLO, ACK, and the dropped ones used theirs */

    fake.tx_free = 10; /* not even a STATUS: it waits */
    pass_us(1500000);
    CHECK(!take_sent(&frame));
    fake.tx_free = 255;
    pass_us(1000);
    CHECK(take_sent_type(MESSAGE_STATUS, &frame));
}

static void dropped_counter_saturates(void)
{
    fake_start();
    start(1, 1000, 1, 1, 0);
    fake.tx_free = 70;
    for (uint32_t i = 0; i < 70000; i++) {
        stream_position((uint16_t)i, 1000u * i, 0);
    }
    forget_sent();
    give_command(COMMAND_STATUS, 1, NULL, 0);
    pass_us(1000);
    CHECK(take_sent_type(MESSAGE_STATUS, &frame) && get_u16(frame.body + 6) == UINT16_MAX);
}

static void events_are_limited_to_ten_a_second(void)
{
    fake_start();
    pass_us(1000);
    forget_sent();
    unsigned n = 0;
    uint32_t illegal = 0;
    for (unsigned ms = 0; ms < 2000; ms++) {
        fake.counters.encoder_illegal++;
        pass_us(1000);
    }
    while (take_sent_type(MESSAGE_EVENT, &frame)) {
        CHECK(frame.n_bytes == EVENT_BYTES);
        illegal = frame.body[0] == EVENT_ENCODER_ILLEGAL ? get_u32(frame.body + 1) : illegal;
        n++;
    }
    CHECK(n >= 19 && n <= 21);
    CHECK(illegal > 1800); /* the newest count, not the first that waited */
}

int main(void)
{
    hello_comes_first_after_a_zero();
    status_comes_every_second();
    start_is_acknowledged_and_idempotent();
    nonsense_is_refused();
    ping_returns_its_token();
    blocks_close_when_full_broken_or_stopped();
    samples_leave_room_for_control();
    dropped_counter_saturates();
    events_are_limited_to_ten_a_second();
    puts("commands, blocks and link: good");
    return 0;
}
