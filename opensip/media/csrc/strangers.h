/* How much of what comes beside RTP may be strangers'; follows opensip/media/strangers.py. */
#ifndef OPENSIP_STRANGERS_H
#define OPENSIP_STRANGERS_H

#include "latch.h"

enum {
    STRANGERS_A_SECOND = 60, /* datagrams of all strangers that a port takes in a second */
    STRANGERS_OF_ONE = 20,   /* of them from one host */
    STRANGERS_WAITING = 4,   /* of those that wait to be read */
    MOST_KNOWN = 32,         /* sources: two sessions of ICE with eight each, and one by SDP */
};

struct strangers {
    struct address known[MOST_KNOWN]; /* where the peer is: no strangers */
    int known_count;
    double since; /* when the second began */
    int total;    /* datagrams in it, and from which hosts they came */
    struct address hosts[STRANGERS_A_SECOND];
};

void strangers_begin(struct strangers *strangers);

bool strangers_know(const struct strangers *strangers, const struct address *source);

/* Tells whether a datagram of a stranger may be looked at. */
bool strangers_admit(struct strangers *strangers, const struct address *source, double now);

#endif
