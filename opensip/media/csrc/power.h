/* How loud samples are. */
#ifndef OPENSIP_POWER_H
#define OPENSIP_POWER_H

#include <stddef.h>
#include <stdint.h>

/* The sum of the squares of samples: exact in a double too, for minutes of them. */
static inline double power_of(const int16_t *samples, size_t count)
{
    int64_t power = 0;
    for (size_t n = 0; n < count; n++)
        power += (int32_t)samples[n] * samples[n];
    return (double)power;
}

#endif
