/* Samples that wait to be fetched; the oldest are forgotten when nobody fetches them. */
#ifndef OPENSIP_RING_H
#define OPENSIP_RING_H

#include <stddef.h>
#include <stdint.h>

enum { RING_SAMPLES = 16384 }; /* two seconds: Python may stand still for one without a loss */

struct ring {
    size_t start, count;
    int16_t samples[RING_SAMPLES];
};

/* Adds samples, at most RING_SAMPLES; returns how many old ones were forgotten for them. */
size_t ring_add(struct ring *ring, const int16_t *samples, size_t count);

/* Copies everything to `to` and empties the ring. */
void ring_take(struct ring *ring, int16_t *to);

#endif
