/* Telephone events of one source, sent on to another peer; follows opensip/rtp/event_relay.py. */
#ifndef OPENSIP_EVENT_RELAY_H
#define OPENSIP_EVENT_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "rtp.h"

enum { EVENT_SIZE = 4, PRESSES = 16 };

/* One key press, as its packets told of it so far. Times are in timestamp units. */
struct press {
    uint8_t event, volume;
    bool ended;
    uint32_t timestamp; /* of its newest segment */
    uint32_t earlier;   /* what its segments before that lasted */
    uint16_t segment;   /* what the newest has lasted */
    uint32_t quiet;     /* since its last packet */
};

struct event_relay {
    struct press presses[PRESSES]; /* a ring of those that wait to be sent on */
    unsigned first, count;
    bool begun; /* whether the newest, which may have been sent on already, can still go on */
    uint32_t sent; /* how long the first has been sent on for */
    unsigned ends, gap;
};

/* What is sent in the place of audio for one packet time. */
struct relayed {
    uint8_t payload[EVENT_SIZE];
    bool marker; /* the first of its press, whose timestamp is that of all */
};

/* Knows a press that has been sent on by other means: what still comes of it is let pass. */
void event_relay_know(struct event_relay *relay, const struct press *press);

/* Forgets the source: another has begun. What waits is sent on all the same. */
void event_relay_begin(struct event_relay *relay);

/* Takes a packet whose turn it is. */
void event_relay_put(struct event_relay *relay, const struct rtp *packet);

/* Writes what is due in a packet time of `units`; false when that is audio. */
bool event_relay_next(struct event_relay *relay, uint32_t units, struct relayed *to);

#endif
