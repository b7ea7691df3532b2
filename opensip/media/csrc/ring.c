#include "ring.h"

#include <string.h>

enum { MASK = RING_SAMPLES - 1 };

size_t ring_add(struct ring *ring, const int16_t *samples, size_t count)
{
    size_t excess = ring->count + count > RING_SAMPLES ? ring->count + count - RING_SAMPLES : 0;
    ring->start = (ring->start + excess) & MASK;
    ring->count -= excess;
    size_t at = (ring->start + ring->count) & MASK;
    size_t upto = RING_SAMPLES - at < count ? RING_SAMPLES - at : count;
    memcpy(ring->samples + at, samples, upto * sizeof *samples);
    memcpy(ring->samples, samples + upto, (count - upto) * sizeof *samples);
    ring->count += count;
    return excess;
}

void ring_take(struct ring *ring, int16_t *to)
{
    size_t upto = RING_SAMPLES - ring->start < ring->count ? RING_SAMPLES - ring->start : ring->count;
    memcpy(to, ring->samples + ring->start, upto * sizeof *to);
    memcpy(to + upto, ring->samples, (ring->count - upto) * sizeof *to);
    ring->start = ring->count = 0;
}
