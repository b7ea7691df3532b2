/*
 * Samples on their way out; follows opensip/media/playout.py. Those of a codec with state come as
 * packets that Python encoded ahead of their turn; see opensip/media/ahead.py.
 */
#ifndef OPENSIP_QUEUE_H
#define OPENSIP_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "g711.h"

/* The longest packet of G.711 and of codecs with state: 60 ms at 48 kHz. */
enum { LONGEST_PACKET = 2880 };

/*
 * One write, or one packet. Pieces are made and freed by Python's side, so that pacing waits for
 * no allocator.
 */
struct piece {
    struct piece *next;
    size_t size;    /* samples */
    size_t octets;  /* of the payload that stands after them; 0: they are encoded at their turn */
    int16_t samples[];
};

struct queue {
    struct piece *first, *last;
    struct piece *spent; /* played: to be freed by Python's side */
    size_t start;        /* samples of the first piece that have been played */
    uint64_t queued, played;
    bool paused;
};

/*
 * Makes a piece of a copy of the samples, and of the payload that they are in, if any; NULL when
 * memory is short.
 */
struct piece *piece_make(const int16_t *samples, size_t size, const uint8_t *payload,
                         size_t octets);
void pieces_free(struct piece *piece);

/* Adds a piece; returns the position at which it starts. */
uint64_t queue_add(struct queue *queue, struct piece *piece);

/* Takes everything out; `forgotten` says how many samples that were. */
struct piece *queue_clear(struct queue *queue, uint64_t *forgotten);

/* Copies all samples that wait. */
void queue_copy(const struct queue *queue, int16_t *to);

/*
 * Takes pieces of another rate in the place of those that wait; gives these, to be freed. They
 * begin where `since` had been played, of which `queue` may have played more by now.
 */
struct piece *queue_exchange(struct queue *queue, struct piece *pieces, uint64_t since,
                             unsigned old_rate, unsigned new_rate);

/* Takes what was played, to be freed. */
struct piece *queue_take_spent(struct queue *queue);

/*
 * Encodes the next payload of `size` codes; false when paused or empty. The last payload is
 * filled up with silence.
 */
bool queue_take(struct queue *queue, const struct g711 *law, uint8_t *payload, size_t size);

/* Has what the next payload is made of brought near, while there is still something else to do. */
void queue_bring_near(const struct queue *queue);

/* Copies the next packet and its samples; gives its octets, 0 when paused or empty. */
size_t queue_take_packet(struct queue *queue, uint8_t *payload, int16_t samples[LONGEST_PACKET]);

#endif
