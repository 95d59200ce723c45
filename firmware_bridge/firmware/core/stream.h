/* Samples into blocks: POS and FORCE frames. */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stdint.h>

struct stream_setting {
    uint8_t streams; /* bits of enum stream_bit */
    uint16_t period_us;
    uint8_t batch;
    uint8_t id;
};

void stream_start(struct stream_setting setting); /* the stream that runs already (by its id) goes on undisturbed */
void stream_stop(void);
bool stream_is_on(void);
void stream_poll(uint32_t now_us);

/* One position sample; `index` runs on from 0 at each start, over those that could not be taken. */
void stream_position(uint16_t index, uint32_t t_us, int32_t count);

/* One conversion, or the report of a fault; `missed` conversions before it were never read. */
void stream_force(uint32_t t_us, int32_t raw, uint8_t flags, uint8_t missed);

#endif
