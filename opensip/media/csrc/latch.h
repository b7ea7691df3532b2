/* Where a stream's packets may come from, and so where ours go: see opensip/media/latch.py. */
#ifndef OPENSIP_LATCH_H
#define OPENSIP_LATCH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* An IPv4 or IPv6 address with its port; `size` 0 is none. */
struct address {
    union {
        struct sockaddr plain;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
    socklen_t size;
};

/* Reads a numeric host; false when it is none of the two families. */
bool address_read(struct address *address, const char *host, int port);
bool address_equal(const struct address *one, const struct address *two);

enum { GRACE = 100 }; /* packets of before a change that are still good: see latch.py */

/* The source rules of one stream; they follow latch.py line by line. */
struct latch {
    struct address remote, signalled;
    bool symmetric, authenticated;
    bool settled; /* nobody else needs to be heard */
    int foreign;
    bool has_candidate;
    struct address candidate;
    uint32_t candidate_ssrc;
    bool latched; /* to another place than the signalled one, on trial */
    double latched_at;
    struct address former; /* where the peer was before it moved by signalling */
    int grace;             /* packets from there that are still good */
};

/* Tells whether a packet from `source` is the peer's; may move `remote` there. */
bool latch_admit(struct latch *latch, const struct address *source, uint32_t ssrc, double now);

/*
 * Tells whether the system may keep all but `remote` out; `last_received` is when the peer's last
 * packet came, if any did.
 */
bool latch_is_alone(const struct latch *latch, bool heard_any, double last_received, double now);

#endif
