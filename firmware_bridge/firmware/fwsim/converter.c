/* What both converters share: the bridge's signal, its noise, its end of range.
   SPDX-License-Identifier: MIT (see fwsim.h) */
#include <math.h>

#include "fwsim.h"

#define RAW_MAX 8388607.0
#define RAW_MIN (-8388608.0)

const struct converter_model *converter = &hx711;
static double noise_counts;
static bool saturated;

void converter_set_noise(double counts)
{
    noise_counts = counts;
}

void converter_saturate(bool on)
{
    saturated = on;
}

int32_t converter_word(double t_s)
{
    double counts = trajectory_force_counts(t_s);
    if (noise_counts > 0) {
        counts += noise_counts * chance_normal();
    }
    if (saturated) {
        counts = RAW_MAX;
    }
    return (int32_t)lround(fmin(fmax(counts, RAW_MIN), RAW_MAX));
}
