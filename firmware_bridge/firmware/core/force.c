/* A state machine of two states: waiting for the ready line, and resting after a fault.

   A value is refused (DESYNC) or marked (LATE), never repaired. A converter that stays silent or wrong is restarted
   after every third fault. At most ten faults a second are reported: a line that is stuck low would otherwise look
   ready all the time and fill the link with reports. */
#include "force.h"

#include "bytes.h"
#include "control.h"
#include "converter.h"
#include "hal.h"
#include "protocol.h"
#include "stream.h"

enum { FAULTS_TO_RESTART = 3 };
#define TIMEOUT_MIN_US UINT32_C(150000) /* longer than a conversion at 10 SPS with a slow oscillator */
#define REST_US UINT32_C(5000)
#define REPORT_EVERY_US UINT32_C(100000)
#define RAW_MAX 0x7fffffl
#define RAW_MIN (-0x800000l)

static uint8_t gain;
static uint16_t rate_sps;
static uint32_t period_us, timeout_us;
static uint32_t answered_us; /* when it last answered, or last timed out */
static uint32_t good_us;     /* when it last answered without a fault */
static uint32_t rest_until_us, reported_us;
static uint8_t faults; /* in a row */
static uint8_t unread; /* conversions missed since the last one that was streamed */
static bool resting;
static bool stale; /* the line was already low after the rest: its time is unknown */
static struct force_health health;

static void rest(uint32_t now_us, uint32_t duration_us)
{
    resting = true;
    rest_until_us = now_us + duration_us;
}

static void restart(uint32_t now_us)
{
    board_converter->start(gain, rate_sps); /* if it does not answer now, the timeout counts it */
    rest(now_us, 1000);                     /* let the ready line rise */
    answered_us = now_us + board_converter->settle_periods * period_us;
}

static void setting(uint8_t new_gain, uint16_t new_rate_sps)
{
    gain = new_gain;
    rate_sps = new_rate_sps;
    period_us = UINT32_C(1000000) / rate_sps;
    timeout_us = 3 * period_us > TIMEOUT_MIN_US ? 3 * period_us : TIMEOUT_MIN_US;
}

void force_start(uint32_t now_us)
{
    faults = unread = 0;
    health = (struct force_health){ 0, 0, false };
    good_us = now_us;
    reported_us = now_us - REPORT_EVERY_US;
    setting(board_gain, board_rate_sps);
    restart(now_us);
}

bool force_configure(uint8_t new_gain, uint16_t new_rate_sps)
{
    if (!board_converter->accepts(new_gain, new_rate_sps)) {
        return false;
    }
    if (new_gain != gain || new_rate_sps != rate_sps) { /* repeated commands change nothing */
        setting(new_gain, new_rate_sps);
        restart(hal_time_us());
    }
    return true;
}

uint16_t force_rate_sps(void)
{
    return rate_sps;
}

struct force_health force_health(void)
{
    return health;
}

static void fault(uint32_t now_us, uint32_t stamp_us, int32_t raw, uint8_t flags)
{
    if (++faults >= FAULTS_TO_RESTART || (flags & FORCE_TIMEOUT)) {
        if (!health.lost) {
            health.lost = true;
            control_event(EVENT_ADC_LOST, (now_us - good_us) / 1000, now_us);
        }
    }
    if (now_us - reported_us >= REPORT_EVERY_US) {
        reported_us = now_us;
        stream_force(stamp_us, raw, flags, 0);
    }
    if (faults >= FAULTS_TO_RESTART) {
        faults = 0;
        restart(now_us);
    } else {
        rest(now_us, REST_US);
    }
}

void force_poll(uint32_t now_us)
{
    if (resting) {
        if ((int32_t)(now_us - rest_until_us) < 0) {
            return;
        }
        resting = false;
        stale = hal_ready_is_low();
        hal_ready_arm();
    }
    struct hal_ready ready = hal_ready_take();
    if (ready.edges == 0) {
        if ((int32_t)(now_us - answered_us) > (int32_t)timeout_us) {
            answered_us = now_us;
            count_up(&health.timeouts);
            fault(now_us, now_us, 0, FORCE_TIMEOUT);
        }
        return;
    }
    int32_t raw;
    uint8_t flags = board_converter->read(&raw);
    uint32_t done_us = hal_time_us();
    answered_us = now_us;
    if (flags & FORCE_DESYNC) {
        count_up(&health.desyncs);
        fault(now_us, ready.last_us, raw, flags);
        return;
    }
    if (done_us - ready.last_us > period_us * board_converter->late_sixteenths / 16) {
        flags |= FORCE_LATE; /* the next conversion may have come in the middle of this read */
    }
    if (raw >= RAW_MAX || raw <= RAW_MIN) {
        flags |= FORCE_SATURATED;
    }
    faults = 0;
    if (health.lost) {
        health.lost = false;
        control_event(EVENT_ADC_BACK, (now_us - good_us) / 1000, now_us);
    }
    good_us = now_us;
    unread = (uint8_t)(unread + ready.edges - 1);
    if (stale) {
        stale = false;
        unread++; /* a value without a time is not a measurement */
    } else {
        stream_force(ready.last_us, raw, flags, unread);
        unread = 0;
    }
    hal_ready_arm();
}
