/* Samples on their way out; follows opensip/media/playout.py. */
#ifndef OPENSIP_QUEUE_H
#define OPENSIP_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "g711.h"

/* One write. Pieces are made and freed by Python's side, so that pacing waits for no allocator. */
struct piece {
    struct piece *next;
    size_t size;
    int16_t samples[];
};

struct queue {
    struct piece *first, *last;
    struct piece *spent; /* played: to be freed by Python's side */
    size_t start;        /* samples of the first piece that have been played */
    uint64_t queued, played;
    bool paused;
};

/* Makes a piece of a copy of the samples; NULL when memory is short. */
struct piece *piece_make(const int16_t *samples, size_t size);
void pieces_free(struct piece *piece);

/* Adds a piece; returns the position at which it starts. */
uint64_t queue_add(struct queue *queue, struct piece *piece);

/* Takes everything out; `forgotten` says how many samples that were. */
struct piece *queue_clear(struct queue *queue, uint64_t *forgotten);

/* Takes what was played, to be freed. */
struct piece *queue_take_spent(struct queue *queue);

/*
 * Encodes the next payload of `size` codes; false when paused or empty. The last payload is
 * filled up with silence.
 */
bool queue_take(struct queue *queue, const struct g711 *law, uint8_t *payload, size_t size);

#endif
