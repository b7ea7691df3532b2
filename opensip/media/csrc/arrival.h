/* What the arrival of packets tells of their source: losses, jitter, and when samples came. */
#ifndef OPENSIP_ARRIVAL_H
#define OPENSIP_ARRIVAL_H

#include <stdbool.h>
#include <stdint.h>

enum { RATE = 8000 }; /* Hz of samples and timestamps of both laws of G.711 */

/* RFC 3550 appendix A; follows opensip/rtp/statistics.py. */
struct arrivals {
    int64_t received;
    int64_t first, highest; /* extended by the number of wraps */
    double jitter;          /* in timestamp units */
    unsigned rate;          /* Hz of the timestamps */
    int after_jump;         /* the sequence number that proves a new beginning; -1: none */
    bool has_transit;
    double transit;
};

void arrivals_begin(struct arrivals *arrivals, unsigned rate);
void arrivals_note(struct arrivals *arrivals, uint16_t sequence, uint32_t timestamp, double now,
                   bool timed);

/* Goes on with another clock: the codec has changed (RFC 7160 section 4.1). */
void arrivals_change_clock(struct arrivals *arrivals, unsigned rate);

/* Whether all packets have been late for long. */
struct delay {
    bool is_late;
    int64_t since; /* position of the first */
    double least;  /* seconds, of the second half */
};

/* Maps timestamps to times without jitter; follows opensip/media/media_clock.py. */
struct media_clock {
    bool started;
    unsigned rate; /* Hz of the timestamps */
    uint32_t last;
    int64_t position;
    double offset;
    struct delay near, far;
};

void media_clock_begin(struct media_clock *clock, unsigned rate);
double media_clock_time(struct media_clock *clock, uint32_t timestamp, double now);

/* The same of a packet that came out of its turn; the clock learns nothing of it. */
double media_clock_place(const struct media_clock *clock, uint32_t timestamp);

#endif
