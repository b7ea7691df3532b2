/* Order for audio that is only listened to; follows opensip/rtp/reorder.py. */
#ifndef OPENSIP_REORDER_H
#define OPENSIP_REORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "rtp.h"

enum {
    REORDER_HELD = 64,        /* packets held while one before them is missing */
    REORDER_REMEMBERED = 128, /* packets before the newest of which it is known whether they came */
};

/* Takes a packet whose turn it is; `at` is when it came. */
typedef void reorder_taker(void *context, const struct rtp *packet, double at);

struct held; /* a packet with its payload */

struct reorder {
    uint64_t lost, late, duplicate, reordered;
    bool started;
    uint16_t next;   /* the sequence number that is due */
    uint16_t newest; /* the highest that came */
    uint64_t came[REORDER_REMEMBERED / 64]; /* bit n: the packet n before the newest came */
    int after_jump;  /* -1: none */
    int count;
    reorder_taker *take;
    void *context;
    struct held *held[REORDER_HELD + 1];
};

/* Forgets everything, counts too. */
void reorder_begin(struct reorder *reorder, reorder_taker *take, void *context);
void reorder_close(struct reorder *reorder);

/* Goes on with another source; hands on what is held of the one before, and keeps the counts. */
void reorder_begin_again(struct reorder *reorder);

/* Takes a packet that came `now`; hands on what is in order. */
void reorder_put(struct reorder *reorder, const struct rtp *packet, double now);

/* Hands on what has waited long enough for what is missing before it. */
void reorder_release(struct reorder *reorder, double now);

#endif
