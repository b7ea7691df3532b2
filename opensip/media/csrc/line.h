/* From one stream's peer to another's: sound made even, and keys; follows opensip/media/line.py. */
#ifndef OPENSIP_LINE_H
#define OPENSIP_LINE_H

#include <pthread.h>
#include <stdatomic.h>

#include "event_relay.h"
#include "playback.h"

enum { LINE_FRAMES = 3 }; /* of the longest packet */

/*
 * One direction of two streams that are joined. The media thread fills it with what one receives
 * and empties it into what the other sends; `lock` is for Python, which asks for figures.
 */
struct line {
    atomic_int owners; /* the stream that fills it, and the one that empties it */
    pthread_mutex_t lock;
    bool keys; /* whether telephone events are sent on */
    struct playback playback;
    struct event_relay events;
    int16_t samples[LINE_FRAMES * JITTER_FRAME]; /* of the packet to come */
    size_t count;
};

/* What became of packets and frames. */
struct line_figures {
    struct jitter_counts counts;
    double depth;
};

/* Makes a line with two owners; NULL when memory is short. */
struct line *line_open(bool keys);

/* One owner is done; the last one frees the line. NULL is let pass. */
void line_release(struct line *line);

/* Another source begins. */
void line_begin(struct line *line);

/* Takes a packet of sound that came `now`, in whatever order. */
void line_put(struct line *line, const struct g711 *law, const struct rtp *packet, double now);

/* Takes a telephone event, in order. */
void line_press(struct line *line, const struct rtp *packet);

/* Takes the level of the peer's background, in dB below full scale. */
void line_set_noise(struct line *line, unsigned level);

/* Plays the 20 ms that begin `now`. Called on each tick, whether a packet is due or not. */
void line_tick(struct line *line, double now);

/* Takes what was played since the last packet, or what stands in its place. */
bool line_take_event(struct line *line, uint32_t units, struct relayed *to);
void line_take(struct line *line, int16_t *samples, size_t size);

struct line_figures line_figures(struct line *line);

#endif
