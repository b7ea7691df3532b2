/* What is played on each tick, whatever the network did; follows opensip/rtp/jitter_buffer.py. */
#ifndef OPENSIP_JITTER_BUFFER_H
#define OPENSIP_JITTER_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JITTER_BLOCK = 40,    /* bytes of 5 ms of G.711 */
    JITTER_FRAME = 160,   /* of a tick */
    JITTER_BLOCKS = 512,  /* that are kept; more than two seconds */
    JITTER_OVERSHOOT = 64, /* blocks of the one packet that is taken although they are reached */
    JITTER_WINDOW = 128,  /* packets whose lateness is remembered */
};

enum decision { DECISION_PLAY, DECISION_CONCEAL, DECISION_WAIT };

struct block {
    int64_t timestamp; /* extended */
    uint16_t sequence;
    uint8_t payload[JITTER_BLOCK];
};

struct jitter_counts {
    uint64_t received, late, duplicate, dropped, played, concealed;
};

/* One source's; begin another when the SSRC changes. */
struct jitter_buffer {
    struct jitter_counts counts;
    double depth; /* seconds that a packet waits at most which is not late */
    struct block blocks[JITTER_BLOCKS + JITTER_OVERSHOOT];
    int count;
    bool playing;   /* whether `cursor` stands */
    int64_t cursor; /* the extended timestamp to play next */
    int64_t newest;
    bool beginning; /* whether `begin_at` stands */
    double begin_at;
    double transits[JITTER_WINDOW];
    int transit_count, transit_next;
    int played_sequence; /* -1: none */
    int empty_ticks, adapted, far;
    bool concealing; /* whether `run` stands */
    int64_t run;     /* where what is concealed now began */
};

void jitter_buffer_begin(struct jitter_buffer *buffer);

/* Waits to begin again, with another source: only depth and counts are kept. */
void jitter_buffer_forget(struct jitter_buffer *buffer);

/* Takes a packet that came `now`; its payload is at most RTP_LARGEST bytes. */
void jitter_buffer_put(struct jitter_buffer *buffer, uint16_t sequence, uint32_t timestamp,
                       const uint8_t *payload, size_t size, double now);

/* Decides what is played in the 20 ms that begin `now`; fills `payload` on DECISION_PLAY. */
enum decision jitter_buffer_tick(struct jitter_buffer *buffer, uint8_t payload[JITTER_FRAME],
                                 double now);

#endif
