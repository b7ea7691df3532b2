#include "queue.h"

#include <stdlib.h>
#include <string.h>

struct piece *piece_make(const int16_t *samples, size_t size)
{
    struct piece *piece = malloc(sizeof *piece + size * sizeof *samples);
    if (!piece)
        return NULL;
    piece->next = NULL;
    piece->size = size;
    memcpy(piece->samples, samples, size * sizeof *samples);
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
