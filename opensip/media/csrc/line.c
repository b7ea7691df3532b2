#include "line.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lock.h"

struct line *line_open(bool keys)
{
    struct line *line = calloc(1, sizeof *line);
    if (!line)
        return NULL;
    atomic_init(&line->owners, 2);
    lock_open(&line->lock);
    playback_begin(&line->playback, &PCMU);
    line->keys = keys;
    return line;
}

void line_release(struct line *line)
{
    if (!line || atomic_fetch_sub(&line->owners, 1) > 1)
        return;
    pthread_mutex_destroy(&line->lock);
    free(line);
}

void line_begin(struct line *line)
{
    pthread_mutex_lock(&line->lock);
    playback_change_source(&line->playback);
    event_relay_begin(&line->events);
    pthread_mutex_unlock(&line->lock);
}

void line_put(struct line *line, const struct g711 *law, const struct rtp *packet, double now)
{
    struct playback *playback = &line->playback;
    pthread_mutex_lock(&line->lock);
    if (law != playback->law)
        playback_change_law(playback, law);
    jitter_buffer_put(&playback->buffer, packet->sequence, packet->timestamp, packet->payload,
                      packet->size, now);
    pthread_mutex_unlock(&line->lock);
}

void line_press(struct line *line, const struct rtp *packet)
{
    if (!line->keys)
        return;
    pthread_mutex_lock(&line->lock);
    event_relay_put(&line->events, packet);
    pthread_mutex_unlock(&line->lock);
}

void line_set_noise(struct line *line, unsigned level)
{
    pthread_mutex_lock(&line->lock);
    concealment_set_noise(&line->playback.concealment, 32768.0 * pow(10, level / -20.0));
    pthread_mutex_unlock(&line->lock);
}

/* Forgets the oldest samples. */
static void forget(struct line *line, size_t count)
{
    line->count -= count;
    memmove(line->samples, line->samples + count, line->count * sizeof *line->samples);
}

/* Frames of a packet time that was cut short, by another ptime, make room from the oldest on. */
void line_tick(struct line *line, double now)
{
    pthread_mutex_lock(&line->lock);
    if (line->count > (LINE_FRAMES - 1) * JITTER_FRAME)
        forget(line, line->count - (LINE_FRAMES - 1) * JITTER_FRAME);
    playback_tick(&line->playback, line->samples + line->count, now);
    line->count += JITTER_FRAME;
    pthread_mutex_unlock(&line->lock);
}

bool line_take_event(struct line *line, uint32_t units, struct relayed *to)
{
    pthread_mutex_lock(&line->lock);
    bool taken = line->keys && event_relay_next(&line->events, units, to);
    if (taken)
        line->count = 0;
    pthread_mutex_unlock(&line->lock);
    return taken;
}

void line_take(struct line *line, int16_t *samples, size_t size)
{
    pthread_mutex_lock(&line->lock);
    if (line->count > size)
        forget(line, (line->count - size) / JITTER_FRAME * JITTER_FRAME);
    size_t count = line->count < size ? line->count : size;
    memset(samples, 0, (size - count) * sizeof *samples);
    memcpy(samples + size - count, line->samples, count * sizeof *samples);
    forget(line, count);
    pthread_mutex_unlock(&line->lock);
}

struct line_figures line_figures(struct line *line)
{
    pthread_mutex_lock(&line->lock);
    struct line_figures figures = {line->playback.buffer.counts, line->playback.buffer.depth};
    pthread_mutex_unlock(&line->lock);
    return figures;
}
