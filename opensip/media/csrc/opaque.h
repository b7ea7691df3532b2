/* Payloads of codecs with state, on their way in: their meaning is Python's, their order is made. */
#ifndef OPENSIP_OPAQUE_H
#define OPENSIP_OPAQUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp.h"

/* Over two seconds of speech with its heads: Python may stand still for one without a loss. */
enum { OPAQUE_ROOM = 32768 };

/* What stands before each payload. */
struct opaque_head {
    double at;          /* when its sound came, without jitter */
    uint32_t timestamp;
    uint32_t behind;    /* samples of G.711 that were heard before it since Python asked */
    uint16_t size;
    uint8_t payload_type;
    bool follows;       /* the sound before it was of the same source and payload type */
};

struct opaque {
    size_t used;
    uint8_t data[OPAQUE_ROOM];
};

/* Adds a payload; returns how many of the oldest were forgotten for it. */
unsigned opaque_add(struct opaque *opaque, struct opaque_head head, const struct rtp *packet);

/* Reads the next one out of `size` octets of data; returns how many it takes. */
size_t opaque_read(const uint8_t *data, size_t size, struct opaque_head *head);

#endif
