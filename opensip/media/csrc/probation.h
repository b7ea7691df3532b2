/* Whether another source is the peer now; follows opensip/rtp/probation.py. */
#ifndef OPENSIP_PROBATION_H
#define OPENSIP_PROBATION_H

#include <stdbool.h>

#include "rtp.h"

struct probation {
    struct held_back *held; /* the first packet of another source; NULL: none */
    double last;            /* when a packet of the present source came last */
};

/* A packet with its payload. */
struct held_back {
    struct rtp packet;
    double at; /* when it came */
    uint8_t payload[];
};

/* Notes a packet of the present source; true when one that was held is given up. */
bool probation_present(struct probation *probation, double now);

/* Tells whether `packet` of another source makes that the peer, with what is held. */
bool probation_proves(const struct probation *probation, const struct rtp *packet, double now);

/* Keeps a copy of `packet` back; true when one is given up, that before or for want of memory. */
bool probation_hold(struct probation *probation, const struct rtp *packet, double now);

/* Gives what is held to the caller, who frees it. */
struct held_back *probation_take(struct probation *probation);

#endif
