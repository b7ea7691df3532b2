/* The way in of a stream: from datagrams to samples in order; follows opensip/media/receiver.py. */
#ifndef OPENSIP_RECEIVER_H
#define OPENSIP_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arrival.h"
#include "latch.h"
#include "line.h"
#include "opaque.h"
#include "probation.h"
#include "reorder.h"
#include "ring.h"
#include "srtp.h"
#include "strangers.h"

enum encoding { ENCODING_NONE, ENCODING_PCMU, ENCODING_PCMA, ENCODING_EVENT, ENCODING_NOISE,
                ENCODING_OTHER, ENCODING_OPAQUE };

/* Why a packet was dropped. */
enum reason {
    DROP_EARLY,
    DROP_MALFORMED,
    DROP_FORGED,
    DROP_REPLAYED,
    DROP_RTCP,
    DROP_PAYLOAD_TYPE,
    DROP_SOURCE,
    DROP_CROWDED,
    DROP_SSRC,
    DROP_REASONS,
};

extern const char *const REASONS[DROP_REASONS];

enum {
    EVENTS = 64,     /* telephone-event packets that Python has not read yet: over a second */
    HOLD_TICKS = 25, /* the gate stays open for half a second after the last voice */
    LATES = 5,       /* packets in a batch that came too late: more in 100 ms is no line */
    LATE_SAMPLES = 160,
    EVENT_BYTES = 4, /* what RFC 4733 section 2.3 defines of a payload */
    MOST_BESIDE = 16, /* datagrams of other protocols that Python has not read yet */
};

/* A packet of a telephone event or of comfort noise, whose meaning is Python's. */
struct event {
    struct rtp packet; /* its payload is `payload` */
    uint8_t payload[EVENT_BYTES];
};

/* A datagram of another protocol, whose meaning is Python's. */
struct beside {
    struct address source;
    bool strange; /* the peer is not known to be there */
    size_t size;
    uint8_t data[RTP_LARGEST];
};

/* Sound that came too late for its turn: a recording still has a place for it. */
struct late {
    double at;
    size_t size;
    int16_t samples[LATE_SAMPLES];
};

/* What is large comes last: the rest is read on each tick, and is in few places of memory so. */
struct receiver {
    struct srtp *srtp; /* NULL: plain RTP */
    struct srtp *former; /* of the key before, until one of the new comes; NULL: none */
    int grace;           /* packets under it that are still good */
    bool open;         /* false until the peer is known */
    struct latch latch;
    bool moved; /* the source has moved since Python asked */
    uint8_t encodings[128];
    uint8_t kilohertz[128]; /* of the timestamps, by payload type; of what is sound alone */

    uint64_t packets, dropped[DROP_REASONS];
    uint64_t unread; /* samples, and payloads that Python decodes, that it did not fetch in time */
    bool heard_any;
    double last_received;
    bool begun;
    uint32_t ssrc;
    struct arrivals arrivals;
    struct probation probation;
    struct media_clock clock;
    unsigned clock_rate; /* Hz of the timestamps of the sound that came last */
    uint32_t next_timestamp;
    bool has_next;
    int opaque_type; /* of the sound that came last, where that is Python's; -1: it is not */

    struct opaque *opaque; /* for what Python decodes; NULL: nothing of that kind may come */
    double heard_at;
    double power; /* of `heard`, summed over its samples */
    int64_t fresh_power; /* of this tick */
    size_t fresh;
    int gate; /* ticks for which what is heard is handed on at once: a voice is near */
    int event_count, late_count;
    bool deaf;         /* nobody listens: what comes is not handed on */
    struct beside *beside; /* room for MOST_BESIDE; NULL: RTP has its port for itself */
    int beside_count;
    bool mux; /* RTCP shares the port */
    struct line *line; /* whose other end hears the peer too; NULL: none */
    struct reorder reorder;
    struct ring heard;
    struct event events[EVENTS];
    struct late lates[LATES];
    struct strangers strangers;
};

void receiver_open(struct receiver *receiver);
void receiver_close(struct receiver *receiver);

/* Takes one datagram, which is decrypted where it lies. */
void receiver_take(struct receiver *receiver, uint8_t *data, size_t size,
                   const struct address *source, double now);

/* Ends a tick: gives up on what did not come in time, and moves the gate. */
void receiver_tick(struct receiver *receiver, double now);

#endif
