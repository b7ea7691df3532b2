#include "queue.h"

#include <stdlib.h>
#include <string.h>

#include "near.h"

enum { NEXT = 160 }; /* samples that are taken soon: of a tick of G.711 */

struct piece *piece_make(const int16_t *samples, size_t size, const uint8_t *payload,
                         size_t octets)
{
    struct piece *piece = malloc(sizeof *piece + size * sizeof *samples + octets);
    if (!piece)
        return NULL;
    piece->next = NULL;
    piece->size = size;
    piece->octets = octets;
    memcpy(piece->samples, samples, size * sizeof *samples);
    if (octets)
        memcpy(piece->samples + size, payload, octets);
    return piece;
}

void pieces_free(struct piece *piece)
{
    while (piece) {
        struct piece *next = piece->next;
        free(piece);
        piece = next;
    }
}

uint64_t queue_add(struct queue *queue, struct piece *piece)
{
    uint64_t position = queue->played + queue->queued;
    if (queue->last)
        queue->last->next = piece;
    else
        queue->first = piece;
    queue->last = piece;
    queue->queued += piece->size;
    return position;
}

struct piece *queue_clear(struct queue *queue, uint64_t *forgotten)
{
    struct piece *pieces = queue->first;
    *forgotten = queue->queued;
    queue->first = queue->last = NULL;
    queue->start = 0;
    queue->queued = 0;
    return pieces;
}

struct piece *queue_take_spent(struct queue *queue)
{
    struct piece *spent = queue->spent;
    queue->spent = NULL;
    return spent;
}

static void drop_first(struct queue *queue)
{
    struct piece *piece = queue->first;
    queue->first = piece->next;
    if (!queue->first)
        queue->last = NULL;
    queue->start = 0;
    piece->next = queue->spent;
    queue->spent = piece;
}

void queue_copy(const struct queue *queue, int16_t *to)
{
    size_t start = queue->start;
    for (const struct piece *piece = queue->first; piece; piece = piece->next, start = 0) {
        memcpy(to, piece->samples + start, (piece->size - start) * sizeof *to);
        to += piece->size - start;
    }
}

/* Passes over samples; of packets only over whole ones. */
static void pass_over(struct queue *queue, uint64_t samples)
{
    while (samples && queue->first) {
        struct piece *piece = queue->first;
        size_t count = piece->size - queue->start;
        if (count > samples && piece->octets)
            return;
        if (count > samples)
            count = (size_t)samples;
        samples -= count;
        queue->start += count;
        queue->queued -= count;
        if (queue->start == piece->size)
            drop_first(queue);
    }
}

struct piece *queue_exchange(struct queue *queue, struct piece *pieces, uint64_t since,
                             unsigned old_rate, unsigned new_rate)
{
    uint64_t forgotten, played = queue->played * new_rate / old_rate;
    uint64_t passed = played - since * new_rate / old_rate;
    struct piece *old = queue_clear(queue, &forgotten);
    while (pieces) {
        struct piece *next = pieces->next;
        pieces->next = NULL;
        queue_add(queue, pieces);
        pieces = next;
    }
    pass_over(queue, passed);
    queue->played = played;
    return old;
}

void queue_bring_near(const struct queue *queue)
{
    const struct piece *piece = queue->first;
    if (!piece)
        return;
    bring_near(piece, sizeof *piece);
    bring_near(piece->samples + queue->start, NEXT * sizeof *piece->samples);
}

bool queue_take(struct queue *queue, const struct g711 *law, uint8_t *payload, size_t size)
{
    if (queue->paused || !queue->queued)
        return false;
    size_t filled = 0;
    while (filled < size && queue->first) {
        struct piece *piece = queue->first;
        size_t count = piece->size - queue->start;
        if (count > size - filled)
            count = size - filled;
        g711_encode(law, piece->samples + queue->start, count, payload + filled);
        filled += count;
        queue->start += count;
        if (queue->start == piece->size)
            drop_first(queue);
    }
    memset(payload + filled, law->silence, size - filled);
    queue->played += filled;
    queue->queued -= filled;
    return true;
}

size_t queue_take_packet(struct queue *queue, uint8_t *payload, int16_t samples[LONGEST_PACKET])
{
    if (queue->paused || !queue->first)
        return 0;
    struct piece *piece = queue->first;
    size_t octets = piece->octets;
    memcpy(payload, piece->samples + piece->size, octets);
    memcpy(samples, piece->samples, piece->size * sizeof *samples);
    queue->played += piece->size;
    queue->queued -= piece->size;
    drop_first(queue);
    return octets;
}
