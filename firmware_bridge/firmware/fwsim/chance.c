/* Reproducible random numbers: splitmix64, so that a run is the same on every machine.
   SPDX-License-Identifier: MIT (see fwsim.h) */
#include <math.h>

#include "fwsim.h"

static uint64_t state = 1;

void chance_seed(uint64_t seed)
{
    state = seed;
}

double chance(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return (double)((z ^ z >> 31) >> 11) / 9007199254740992.0;
}

double chance_normal(void)
{
    return sqrt(-2 * log(1 - chance())) * cos(2 * M_PI * chance());
}
