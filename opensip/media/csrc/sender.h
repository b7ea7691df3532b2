/* The way out of a stream: a packet whenever one is due; follows opensip/media/sender.py. */
#ifndef OPENSIP_SENDER_H
#define OPENSIP_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "g711.h"
#include "line.h"
#include "queue.h"
#include "ring.h"
#include "rtp.h"
#include "srtp.h"

enum {
    SIGNS = 256,       /* packets of digits that wait: some seven digits */
    LONGEST_PTIME = 3, /* ticks of one packet: 60 ms */
    TICK_SAMPLES = 160, /* of G.711 */
    LONGEST_PAYLOAD = RTP_LARGEST - RTP_HEADER,
};

/* What packets are made of. */
struct coding {
    const struct g711 *law; /* NULL: what is queued was encoded by Python */
    unsigned samples, units; /* of half a tick: of sound, of the timestamp */
    uint8_t *quiet;          /* a payload of silence, without a law; ours to free */
    size_t quiet_size;
};

/* What stands in the place of audio for one packet time. */
struct sign {
    uint8_t payload[4];
    bool marker; /* the first of its digit, whose timestamp is that of all */
    bool gap;    /* silence that keeps two digits apart */
    bool last;   /* after it a digit is over */
};

struct sender {
    uint32_t ssrc, timestamp;
    uint16_t sequence;
    uint64_t packets, octets;
    struct srtp *srtp; /* NULL: plain RTP */
    struct queue queue;
    struct coding coding;
    uint8_t payload_type, event_payload_type;
    unsigned half_ticks;     /* of one packet */
    unsigned half_ticks_due; /* that have passed since the last packet ended */
    bool voice;
    uint64_t quiet; /* packets without a voice since the last that had one */
    unsigned sign, sign_count; /* the next, and how many wait */
    uint32_t sign_timestamp;
    uint64_t digits; /* that are over */
    struct ring *said; /* NULL: nobody asks what was said */
    double said_at;
    struct line *line; /* what is sent besides the queue: another stream's peer; NULL: none */
    struct sign signs[SIGNS];
};

void sender_close(struct sender *sender);

/* Adds what is sent for a digit; false when that is too much. */
bool sender_add_signs(struct sender *sender, const struct sign *signs, unsigned count);

/*
 * Writes the packet that is due on this tick; 0 when none is. `packet` has room for RTP_LARGEST
 * bytes and a tag.
 */
size_t sender_tick(struct sender *sender, uint8_t *packet, double now);

/* Writes the next packet that is due on this tick: packets of 10 ms are two. */
size_t sender_next(struct sender *sender, uint8_t *packet, double now);

/* Lets a tick pass that came too late to be worth a packet: time goes on. */
void sender_skip_tick(struct sender *sender);

/* Lets a tick pass on which the peer is to hear nothing, keys neither: not now, and not later. */
void sender_mute_tick(struct sender *sender);

#endif
