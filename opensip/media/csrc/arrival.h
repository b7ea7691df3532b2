/* What the arrival of packets tells of their source: losses, jitter, and when samples came. */
#ifndef OPENSIP_ARRIVAL_H
#define OPENSIP_ARRIVAL_H

#include <stdbool.h>
#include <stdint.h>

enum { RATE = 8000 }; /* Hz of samples and timestamps: both laws of G.711 have it */

/* RFC 3550 appendix A; follows opensip/rtp/statistics.py. */
struct arrivals {
    int64_t received;
    int64_t first, highest; /* extended by the number of wraps */
    double jitter;          /* in timestamp units */
    int after_jump;         /* the sequence number that proves a new beginning; -1: none */
    bool has_transit;
    double transit;
};

void arrivals_begin(struct arrivals *arrivals);
void arrivals_note(struct arrivals *arrivals, uint16_t sequence, uint32_t timestamp, double now,
                   bool timed);

/* Whether all packets have been late for long. */
struct delay {
    bool is_late;
    int64_t since; /* position of the first */
    double least;  /* seconds, of the second half */
};

/* Maps timestamps to times without jitter; follows opensip/media/media_clock.py. */
struct media_clock {
    bool started;
    uint32_t last;
    int64_t position;
    double offset;
    struct delay near, far;
};

double media_clock_time(struct media_clock *clock, uint32_t timestamp, double now);

/* The same of a packet that came out of its turn; the clock learns nothing of it. */
double media_clock_place(const struct media_clock *clock, uint32_t timestamp);

#endif
