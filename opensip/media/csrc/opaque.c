#include "opaque.h"

#include <string.h>

size_t opaque_read(const uint8_t *data, size_t size, struct opaque_head *head)
{
    if (size < sizeof *head)
        return 0;
    memcpy(head, data, sizeof *head);
    return sizeof *head + head->size;
}

/* The older half goes at once: to move the rest for each packet of a flood would take too long. */
static unsigned forget(struct opaque *opaque)
{
    struct opaque_head head;
    size_t start = 0;
    unsigned count = 0;
    for (; start < opaque->used && opaque->used - start > OPAQUE_ROOM / 2; count++)
        start += opaque_read(opaque->data + start, opaque->used - start, &head);
    opaque->used -= start;
    memmove(opaque->data, opaque->data + start, opaque->used);
    return count;
}

unsigned opaque_add(struct opaque *opaque, struct opaque_head head, const struct rtp *packet)
{
    head.timestamp = packet->timestamp;
    head.payload_type = packet->payload_type;
    head.size = (uint16_t)packet->size;
    size_t size = sizeof head + packet->size;
    unsigned forgotten = opaque->used + size > OPAQUE_ROOM ? forget(opaque) : 0;
    memcpy(opaque->data + opaque->used, &head, sizeof head);
    memcpy(opaque->data + opaque->used + sizeof head, packet->payload, packet->size);
    opaque->used += size;
    return forgotten;
}
