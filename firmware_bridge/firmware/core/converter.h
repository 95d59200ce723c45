/* What a force converter must do: one file a chip implements it, the board header selects one. */
#ifndef CONVERTER_H
#define CONVERTER_H

#include <stdbool.h>
#include <stdint.h>

struct converter {
    uint8_t type; /* enum adc_type */
    bool (*accepts)(uint8_t gain, uint16_t rate_sps);
    /* Reset and set up; false if the chip does not answer. A chip that cannot know returns true. */
    bool (*start)(uint8_t gain, uint16_t rate_sps);
    /* Fetch the conversion that is ready, signed 24 bit; returns 0 or FORCE_DESYNC. */
    uint8_t (*read)(int32_t *raw);
    uint8_t settle_periods;   /* conversions after a start that give no value */
    uint8_t late_sixteenths;  /* of a nominal period: a read that ends later may overlap the next conversion */
};

extern const struct converter hx711, ads1220;

/* The board's choice, defined by the hardware layer. */
extern const struct converter *const board_converter;
extern const uint8_t board_gain;
extern const uint16_t board_rate_sps;

#endif
