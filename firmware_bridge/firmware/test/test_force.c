/* The converter's state machine, with an HX711 that a test can break. */
#include "../core/app.h"
#include "../core/bytes.h"
#include "../core/force.h"
#include "fake_hal.h"

static struct sent frame;

static void begin(void)
{
    static const uint8_t both_streams[START_BYTES] = { 3, 0xd0, 0x07, 5, 1 };
    fake_start();
    give_command(COMMAND_START, 0, both_streams, sizeof both_streams);
    pass_us(20000);
    forget_sent();
}

static void convert(uint32_t word)
{
    fake.word = word;
    fake.ready = (struct hal_ready){ fake.now_us, 1 };
    app_poll(fake.now_us);
}

static uint16_t index_of(const struct sent *sent)
{
    return get_u16(sent->body + 1);
}

static void a_word_is_read_with_its_sign_and_stamp(void)
{
    begin();
    uint32_t ready_us = fake.now_us;
    fake.word = 0xfffffe;
    fake.ready = (struct hal_ready){ ready_us, 1 };
    fake.now_us += 300;
    app_poll(fake.now_us);
    CHECK(take_sent(&frame) && frame.type == MESSAGE_FORCE && frame.n_bytes == FORCE_HEAD_BYTES + 3);
    CHECK(get_u32(frame.body + 3) == ready_us && get_u16(frame.body + 7) == 0);
    CHECK(frame.body[9] == 1 && frame.body[10] == 0);
    CHECK(frame.body[11] == 0xfe && frame.body[12] == 0xff && frame.body[13] == 0xff);
    CHECK(fake.pulses == 25 && fake.armed);
}

static void a_rail_is_told(void)
{
    begin();
    convert(0x7fffff);
    CHECK(take_sent(&frame) && frame.body[10] == FORCE_SATURATED);
    convert(0x800000);
    CHECK(take_sent(&frame) && frame.body[10] == FORCE_SATURATED);
    convert(0x800001);
    CHECK(take_sent(&frame) && frame.body[10] == 0);
}

static void a_late_read_is_told(void)
{
    begin();
    fake.read_takes_us = 9500; /* of 12500 between conversions */
    convert(1);
    CHECK(take_sent(&frame) && frame.body[10] == FORCE_LATE);
    fake.read_takes_us = 9300;
    convert(1);
    CHECK(take_sent(&frame) && frame.body[10] == 0);
}

static void conversions_that_passed_by_leave_a_gap(void)
{
    begin();
    convert(1);
    CHECK(take_sent(&frame));
    uint16_t before = index_of(&frame);
    fake.ready = (struct hal_ready){ fake.now_us, 3 };
    app_poll(fake.now_us);
    CHECK(take_sent(&frame) && index_of(&frame) == before + 3);
}

static void silence_is_told_and_the_chip_restarted(void)
{
    begin();
    convert(1);
    unsigned holds = fake.holds;
    forget_sent();
    pass_us(1000000);
    unsigned n = 0;
    bool reported = false;
    while (take_sent(&frame)) {
        if (frame.type == MESSAGE_FORCE) {
            CHECK(frame.body[10] == FORCE_TIMEOUT);
            n++;
        }
        reported |= frame.type == MESSAGE_EVENT && frame.body[0] == EVENT_ADC_LOST;
    }
    CHECK(n >= 5 && n <= 10 && reported);
    CHECK(force_health().lost && force_health().timeouts == n);
    CHECK(fake.holds - holds == n / 3);

    pass_us(200000);
    forget_sent();
    convert(5);
    CHECK(!force_health().lost && force_health().timeouts >= n);
    pass_us(200000);
    CHECK(take_sent_type(MESSAGE_EVENT, &frame) && frame.body[0] == EVENT_ADC_BACK);
    CHECK(get_u32(frame.body + 1) >= 1190 && get_u32(frame.body + 1) <= 1230);
}

/* A line stuck low looks ready all the time. Without the rest and the limit it floods the link. */
static void a_line_stuck_low_does_not_flood(void)
{
    begin();
    fake.line_low = fake.trailing_low = true;
    fake.ready = (struct hal_ready){ fake.now_us, 1 };
    pass_us(2000000);
    unsigned n = 0;
    while (take_sent(&frame)) {
        if (frame.type == MESSAGE_FORCE) {
            CHECK(frame.body[10] == FORCE_DESYNC);
            n++;
        }
    }
    CHECK(n >= 10 && n <= 21);
    CHECK(force_health().lost && force_health().desyncs > 50);
    fake.line_low = fake.trailing_low = false;
    pass_us(100000);
    forget_sent();
    convert(7);
    CHECK(take_sent_type(MESSAGE_FORCE, &frame) && frame.body[10] == 0 && !force_health().lost);
}

static void one_desync_is_not_a_loss(void)
{
    begin();
    fake.trailing_low = true;
    convert(1);
    CHECK(take_sent(&frame) && frame.body[10] == FORCE_DESYNC && !force_health().lost);
    fake.trailing_low = false;
    fake.line_low = true; /* a conversion lands while we rest: nobody saw when */
    pass_us(6000);
    CHECK(fake.pulses == 50);
    CHECK(!take_sent_type(MESSAGE_FORCE, &frame));
    convert(2);
    CHECK(take_sent_type(MESSAGE_FORCE, &frame) && frame.body[10] == 0 && index_of(&frame) == 2);
}

static void clock_wrap_is_no_silence(void)
{
    fake_start();
    fake.now_us = UINT32_MAX - 2000000;
    app_start(fake.now_us);
    for (unsigned i = 0; i < 400; i++) {
        pass_us(12500);
        fake.ready = (struct hal_ready){ fake.now_us, 1 };
        app_poll(fake.now_us);
    }
    CHECK(force_health().timeouts == 0);
}

int main(void)
{
    a_word_is_read_with_its_sign_and_stamp();
    a_rail_is_told();
    a_late_read_is_told();
    conversions_that_passed_by_leave_a_gap();
    silence_is_told_and_the_chip_restarted();
    a_line_stuck_low_does_not_flood();
    one_desync_is_not_a_loss();
    clock_wrap_is_no_silence();
    puts("force converter: good");
    return 0;
}
