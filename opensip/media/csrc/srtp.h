/* Secure RTP and RTCP: RFC 3711, with the AES-GCM suites of RFC 7714. */
#ifndef OPENSIP_SRTP_H
#define OPENSIP_SRTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SRTP_LARGEST_MASTER = 44, /* key and salt of AEAD_AES_256_GCM */
    SRTP_LARGEST_TAG = 16,
    SRTCP_LARGEST_TRAILER = 20, /* tag, E flag and index */
    SRTP_WINDOW = 128, /* packets by which one may be late; libsrtp has as many */
    SRTP_SOURCES = 1024, /* SSRCs of one key: no honest peer changes its own so often */
};

enum srtp_result { SRTP_GOOD, SRTP_MALFORMED, SRTP_REPLAYED, SRTP_FORGED };

struct srtp;

/*
 * Makes the context of one direction from a suite's SDES name and its master key||salt; NULL
 * when the suite is unknown, the length not its own, or memory is short. Keep a context over
 * re-offers with the same key: a new one does not know how often the sequence wrapped.
 */
struct srtp *srtp_open(const char *suite, const uint8_t *master, size_t size);
void srtp_close(struct srtp *srtp);

/*
 * Lets a context go on from the one before it, under another key. RFC 3711 section 3.3.1: the
 * rollover counter "MUST NOT be reset to zero"; many peers begin it anew all the same. Both are
 * good for the first packet of a source, and what that was sealed with from then on.
 */
void srtp_follow(struct srtp *srtp, const struct srtp *before);

/* Has what the next packet needs brought near; NULL needs nothing. */
void srtp_bring_near(const struct srtp *srtp);

/* Encrypts in place; `packet` has room for SRTP_LARGEST_TAG more bytes. */
enum srtp_result srtp_protect(struct srtp *srtp, uint8_t *packet, size_t *size);

/* Checks and decrypts in place; a packet that is refused changes nothing. */
enum srtp_result srtp_unprotect(struct srtp *srtp, uint8_t *packet, size_t *size);

/*
 * The same for SRTCP, which has keys of its own under the same master key. Its index goes with
 * each packet, so that nothing has to be followed; a packet that is not encrypted is malformed.
 * `packet` has room for SRTCP_LARGEST_TRAILER more bytes where it is protected.
 */
struct srtp *srtcp_open(const char *suite, const uint8_t *master, size_t size);
enum srtp_result srtcp_protect(struct srtp *srtcp, uint8_t *packet, size_t *size);
enum srtp_result srtcp_unprotect(struct srtp *srtcp, uint8_t *packet, size_t *size);

#endif
