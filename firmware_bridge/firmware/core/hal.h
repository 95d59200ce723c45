/* What the core asks of the hardware, and nothing more. A port to another MCU writes these. */
#ifndef HAL_H
#define HAL_H

#include <stdbool.h>
#include <stdint.h>

/* --- identity, for HELLO --- */
struct hal_identity {
    uint8_t mcu;
    uint8_t reset_cause; /* bits as in the AVR's MCUSR */
    uint16_t boot_id;    /* differs from that of the boot before */
    uint32_t serial;
    uint32_t build;
    uint16_t cpu_khz;
};
extern struct hal_identity hal_identity;

/* --- time and sampling --- */
uint32_t hal_time_us(void); /* wraps after 71.6 minutes */
void hal_wait_us(uint8_t wait_us);
void hal_sample_every(uint16_t period_us); /* stream_position() from now on, sample number 0 first; 0 stops */

/* --- link to the host --- */
uint8_t hal_tx_free(void);                             /* bytes of room */
void hal_tx_put(const uint8_t *bytes, uint8_t n_bytes); /* the caller has checked the room */

/* --- force converter --- */
struct hal_ready {
    uint32_t last_us; /* stamp of the newest edge */
    uint8_t edges;    /* conversions since the line was armed */
};
void hal_ready_arm(void);              /* a line that is low already counts as an edge now */
struct hal_ready hal_ready_take(void); /* disarms where an edge was seen, so that a read is not taken for one */
bool hal_ready_is_low(void);
uint8_t hal_clock_pulse(void);         /* HX711: one pulse, the high phase without interrupts; returns DOUT (0 or 1) */
void hal_clock_hold(uint8_t hold_us);  /* HX711: clock high so long; 60 us powers it down */
void hal_spi_select(bool select);
uint8_t hal_spi_exchange(uint8_t byte);

/* --- trouble the hardware layer counts, all saturating --- */
struct hal_counters {
    uint16_t samples_overrun;
    uint16_t encoder_illegal;
    uint16_t rx_overrun; /* bytes lost or damaged on their way in */
};
struct hal_counters hal_counters(void);

#endif
