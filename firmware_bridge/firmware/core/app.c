#include "app.h"

#include "control.h"
#include "force.h"
#include "link.h"
#include "stream.h"

void app_start(uint32_t now_us)
{
    link_start();
    control_start(now_us);
    force_start(now_us);
}

void app_poll(uint32_t now_us)
{
    control_poll(now_us); /* first: HELLO is the first frame after a reset */
    force_poll(now_us);
    stream_poll(now_us);
}
