#include "srtp.h"

#include <stdlib.h>
#include <string.h>

#include "near.h"
#include "rtp.h"
#include "srtp_cipher.h"

enum {
    RTCP_HEADER = 8, /* bytes that SRTCP leaves plain: the first header and its SSRC */
    WORD = 4, /* E flag and index, behind what is encrypted */
};

static const uint32_t ENCRYPTED = 0x80000000; /* the E flag; the rest of the word is the index */

/* RFC 3711 section 3.2.1: what is known of one SSRC. `seen` has a bit for each late packet. */
struct source {
    uint32_t ssrc;
    int64_t highest; /* index: rollover counter and sequence */
    unsigned __int128 seen;
};

struct srtp {
    struct cipher cipher;
    struct source *sources;
    size_t count, room;
    struct source first; /* the room for sources is here until there are more */
    struct source *earlier; /* those of the key before */
    size_t earlier_count;
};

static struct srtp *open_with(const char *suite, const uint8_t *master, size_t size, bool control)
{
    struct srtp *srtp = calloc(1, sizeof *srtp);
    if (srtp && !cipher_open(&srtp->cipher, suite, master, size, control)) {
        free(srtp);
        return NULL;
    }
    if (srtp) {
        srtp->sources = &srtp->first;
        srtp->room = 1;
    }
    return srtp;
}

struct srtp *srtp_open(const char *suite, const uint8_t *master, size_t size)
{
    return open_with(suite, master, size, false);
}

struct srtp *srtcp_open(const char *suite, const uint8_t *master, size_t size)
{
    return open_with(suite, master, size, true);
}

void srtp_close(struct srtp *srtp)
{
    if (!srtp)
        return;
    cipher_close(&srtp->cipher);
    if (srtp->sources != &srtp->first)
        free(srtp->sources);
    free(srtp->earlier);
    free(srtp);
}

void srtp_follow(struct srtp *srtp, const struct srtp *before)
{
    size_t size = before->count * sizeof *before->sources;
    if (!size || srtp->earlier || !(srtp->earlier = malloc(size)))
        return;
    memcpy(srtp->earlier, before->sources, size);
    srtp->earlier_count = before->count;
}

static struct source *find(struct source *sources, size_t count, uint32_t ssrc)
{
    for (size_t n = 0; n < count; n++)
        if (sources[n].ssrc == ssrc)
            return &sources[n];
    return NULL;
}

static struct source *find_source(const struct srtp *srtp, uint32_t ssrc)
{
    return find(srtp->sources, srtp->count, ssrc);
}

/* Sources are never forgotten: what was heard of a forgotten one could be played again. */
static struct source *add_source(struct srtp *srtp, uint32_t ssrc, int64_t index)
{
    if (srtp->count == srtp->room) {
        size_t room = 2 * srtp->room;
        struct source *had = srtp->sources == &srtp->first ? NULL : srtp->sources;
        struct source *more = room > SRTP_SOURCES ? NULL : realloc(had, room * sizeof *more);
        if (!more)
            return NULL;
        if (!had)
            *more = srtp->first;
        srtp->sources = more;
        srtp->room = room;
    }
    srtp->sources[srtp->count] = (struct source){.ssrc = ssrc, .highest = index};
    return &srtp->sources[srtp->count++];
}

/* Section 3.3.1: the index nearest to the highest. Nothing can be from before the first wrap. */
static int64_t estimate_index(const struct source *source, uint16_t sequence)
{
    if (!source || source->highest <= 0x8000)
        return sequence;
    int64_t index = (source->highest & ~(int64_t)0xFFFF) | sequence;
    int step = (int)sequence - (int)(source->highest & 0xFFFF);
    if (step > 0x8000)
        return index - 0x10000;
    return step < -0x8000 ? index + 0x10000 : index;
}

/* Section 3.3.2. */
static bool is_new(const struct source *source, int64_t index)
{
    if (!source || index > source->highest)
        return true;
    int64_t late = source->highest - index;
    return late < SRTP_WINDOW && !(source->seen >> late & 1);
}

static void note_seen(struct source *source, int64_t index)
{
    int64_t ahead = index - source->highest;
    if (ahead > 0) {
        source->seen = ahead < SRTP_WINDOW ? source->seen << ahead : 0;
        source->highest = index;
        ahead = 0;
    }
    source->seen |= (unsigned __int128)1 << -ahead;
}

static enum srtp_result note(struct srtp *srtp, struct source *source, uint32_t ssrc, int64_t index)
{
    if (!source)
        source = add_source(srtp, ssrc, index);
    if (!source)
        return SRTP_REPLAYED; /* too many: whether it is new cannot be told */
    note_seen(source, index);
    return SRTP_GOOD;
}

void srtp_bring_near(const struct srtp *srtp)
{
    if (srtp)
        bring_near(srtp, sizeof *srtp);
}

/* What goes into the cipher: a packet of RTP of which the tag is not counted. */
static struct sealed seal_of(uint8_t *packet, size_t header, size_t size, int64_t index)
{
    return (struct sealed){packet, packet + size, header, size, read32(packet + 8),
                           (uint64_t)index, (uint32_t)(index >> 16)};
}

enum srtp_result srtp_protect(struct srtp *srtp, uint8_t *packet, size_t *size)
{
    size_t header = rtp_header_size(packet, *size);
    if (!header)
        return SRTP_MALFORMED;
    uint32_t ssrc = read32(packet + 8);
    struct source *source = find_source(srtp, ssrc);
    int64_t index = estimate_index(source, read16(packet + 2));
    if (!is_new(source, index)) /* two packets under one keystream would give both away */
        return SRTP_REPLAYED;
    enum srtp_result noted = note(srtp, source, ssrc, index);
    if (noted != SRTP_GOOD)
        return noted;
    struct sealed sealed = seal_of(packet, header, *size, index);
    if (!cipher_seal(&srtp->cipher, &sealed))
        return SRTP_MALFORMED;
    *size += srtp->cipher.tag;
    return SRTP_GOOD;
}

enum srtp_result srtp_unprotect(struct srtp *srtp, uint8_t *packet, size_t *size)
{
    size_t tag = srtp->cipher.tag, header = rtp_header_size(packet, *size);
    if (!header)
        return SRTP_MALFORMED;
    uint32_t ssrc = read32(packet + 8);
    struct source *source = find_source(srtp, ssrc);
    int64_t index = estimate_index(source, read16(packet + 2));
    if (!is_new(source, index))
        return SRTP_REPLAYED;
    if (*size < header + tag)
        return SRTP_MALFORMED;
    struct sealed sealed = seal_of(packet, header, *size - tag, index);
    if (!cipher_unseal(&srtp->cipher, &sealed)) {
        struct source *earlier = source ? NULL : find(srtp->earlier, srtp->earlier_count, ssrc);
        index = estimate_index(earlier, read16(packet + 2));
        sealed = seal_of(packet, header, *size - tag, index);
        if (!earlier || !cipher_unseal(&srtp->cipher, &sealed))
            return SRTP_FORGED;
    }
    *size = sealed.size;
    return note(srtp, source, ssrc, index);
}

/* RFC 3711 section 3.4 has the word before the tag, RFC 7714 section 9 behind it. */
static struct sealed control_of(const struct cipher *cipher, uint8_t *packet, size_t size,
                                uint32_t word)
{
    uint8_t *tag = packet + size + (cipher->gcm ? 0 : WORD);
    return (struct sealed){packet, tag, RTCP_HEADER, size, read32(packet + 4),
                           word & ~ENCRYPTED, word};
}

static uint8_t *word_at(const struct cipher *cipher, uint8_t *packet, size_t size)
{
    return packet + size + (cipher->gcm ? cipher->tag : 0);
}

/* The first index is 1, as libsrtp has it. */
enum srtp_result srtcp_protect(struct srtp *srtcp, uint8_t *packet, size_t *size)
{
    const struct cipher *cipher = &srtcp->cipher;
    if (*size < RTCP_HEADER)
        return SRTP_MALFORMED;
    uint32_t ssrc = read32(packet + 4);
    struct source *source = find_source(srtcp, ssrc);
    int64_t index = source ? source->highest + 1 : 1;
    if (index >= ENCRYPTED) /* section 9.2: the key is at its end */
        return SRTP_REPLAYED;
    enum srtp_result noted = note(srtcp, source, ssrc, index);
    if (noted != SRTP_GOOD)
        return noted;
    struct sealed sealed = control_of(cipher, packet, *size, ENCRYPTED | (uint32_t)index);
    if (!cipher_seal(&srtcp->cipher, &sealed))
        return SRTP_MALFORMED;
    write32(word_at(cipher, packet, *size), sealed.word);
    *size += cipher->tag + WORD;
    return SRTP_GOOD;
}

enum srtp_result srtcp_unprotect(struct srtp *srtcp, uint8_t *packet, size_t *size)
{
    const struct cipher *cipher = &srtcp->cipher;
    size_t trailer = cipher->tag + WORD;
    if (*size < RTCP_HEADER + trailer)
        return SRTP_MALFORMED;
    uint32_t word = read32(word_at(cipher, packet, *size - trailer));
    if (!(word & ENCRYPTED)) /* nobody agreed to UNENCRYPTED_SRTCP */
        return SRTP_MALFORMED;
    struct sealed sealed = control_of(cipher, packet, *size - trailer, word);
    struct source *source = find_source(srtcp, sealed.ssrc);
    if (!is_new(source, (int64_t)sealed.index))
        return SRTP_REPLAYED;
    if (!cipher_unseal(&srtcp->cipher, &sealed))
        return SRTP_FORGED;
    *size = sealed.size;
    return note(srtcp, source, sealed.ssrc, (int64_t)sealed.index);
}
