/* One RTP stream each way on one socket: what the media thread and Python share. */
#ifndef OPENSIP_STREAM_H
#define OPENSIP_STREAM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "receiver.h"
#include "sender.h"

enum steady { STEADY_NOTHING, STEADY_VOICE, STEADY_SILENCE }; /* as in opensip/audio/frame.py */

/*
 * What is large comes last, as in its parts. Everything below `lock` is read and written under it. Python holds it for less than a
 * microsecond's copying; the media thread never waits for it before all other streams are done.
 */
struct stream {
    struct stream *next;  /* in the engine's lists of new and of ended streams */
    atomic_int owners;    /* the engine, Python's object, and whoever is joined to it */
    size_t place;         /* among the engine's streams; this and the next are the engine's own */
    unsigned ticked;      /* the last tick that it had its turn on */
    atomic_bool closed;   /* Python is done with it: its socket may be gone */
    atomic_bool pending;  /* there is something to gather */
    int socket;
    bool stamped;         /* the kernel tells when each packet came */

    pthread_mutex_t lock;
    struct stream *partner; /* to whom it is joined, and whose owner it is */
    bool sending, connected;
    struct address whom; /* it was connected to last */
    double flooded_until; /* as far as is known */
    int64_t tell_at; /* Python waits until no more samples than these are queued; -1: it does not */
    bool changed;    /* Python waits for what has happened since the last batch */
    bool due;        /* a batch is, whether there is something to decode or not */
    bool decodes;    /* Python has had something to decode, and may not have handed it on yet */
    double report_at; /* when Python has a report to send */
    bool received;   /* on this tick, before its turn */
    bool prompt;     /* every tick is told of: another peer listens */
    enum steady steady; /* what need not be told of on every tick while it goes on */
    unsigned ticks;  /* since the last batch */
    double at;       /* the last tick */
    uint64_t unsent, refused;
    struct sender out;
    struct receiver in;
    struct address local;
};

/* What was negotiated, ready to be taken over; the contexts replace those in use where told. */
struct stream_config {
    bool open;             /* false: nobody is there yet */
    struct address remote; /* size 0: not known, until a source proves to be the peer */
    bool symmetric, sending;
    bool new_latch;
    bool mux;
    struct beside *beside; /* room for what comes beside RTP; NULL: nothing else may come */
    bool new_receive, new_transmit; /* whether the contexts are exchanged */
    struct srtp *receive, *transmit;
    uint8_t encodings[128], kilohertz[128];
    struct opaque *opaque; /* room for what Python decodes; NULL: nothing of that kind may come */
    struct coding coding;
    uint8_t payload_type, event_payload_type;
    unsigned half_ticks; /* of one packet */
    bool requeue;        /* whether `pieces` take the place of what waits from `since` on */
    struct piece *pieces;
    uint64_t since;
    struct ring *said; /* for what leaves by another rate, in exchange for the one in use */
    double said_at;
};

/* The clock of one tick. `since_epoch` is what the clock of kernel stamps is ahead of `now`. */
struct tick {
    double now, since_epoch;
};

/* Makes a stream on a bound socket, with two owners; NULL when memory is short. */
struct stream *stream_open(int socket, bool stamped);

/* Takes a stream for another owner. */
struct stream *stream_retain(struct stream *stream);

/* One owner is done; the last one frees the stream. NULL is let pass. */
void stream_release(struct stream *stream);

/* Takes over a configuration; what it replaces is left in it, to be freed. */
void stream_configure(struct stream *stream, struct stream_config *config);

/* Lets the socket take what anybody sends, were it connected. */
void stream_let_all_in(struct stream *stream);

/*
 * Receives before the tick, for a stream that is joined to another: what came by now is sent on
 * this tick, whichever of both is first. The lock is held.
 */
void stream_receive(struct stream *stream, const struct tick *tick);

/* What joins a stream to another: lines there and back, and who it is. */
struct joint {
    struct line *to, *from;
    struct stream *partner;
};

/* Takes away what a stream is joined by, or gives it another; gives what it had in its place. */
void stream_join(struct stream *stream, struct joint *joint);

/* Lets go of what a stream was joined by. */
void joint_release(const struct joint *joint);

/*
 * Has what a tick reads of a stream brought near, from memory that all the other calls had pushed
 * out of the caches since its last one; it changes nothing and needs no lock.
 */
void stream_bring_near(const struct stream *stream);

/* Does what each tick does; `turn` counts them, for streams of one batch alike. The lock is held. */
void stream_tick(struct stream *stream, const struct tick *tick, unsigned turn);

/* Lets ticks pass that came too late to be worth a packet; the lock is held. */
void stream_skip(struct stream *stream, unsigned ticks);

#endif
