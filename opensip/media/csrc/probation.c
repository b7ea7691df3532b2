#include "probation.h"

#include <stdlib.h>
#include <string.h>

/* seconds; a source that was silent for so long has nothing left that is defended */
static const double SILENT = 1.0;

bool probation_present(struct probation *probation, double now)
{
    struct held_back *held = probation_take(probation);
    probation->last = now;
    free(held);
    return held != NULL;
}

bool probation_proves(const struct probation *probation, const struct rtp *packet, double now)
{
    const struct held_back *held = probation->held;
    return now - probation->last >= SILENT ||
           (held && packet->ssrc == held->packet.ssrc &&
            packet->sequence == (uint16_t)(held->packet.sequence + 1));
}

/* This is rare, so memory is asked for only now. */
bool probation_hold(struct probation *probation, const struct rtp *packet, double now)
{
    struct held_back *before = probation_take(probation);
    bool given_up = before != NULL;
    free(before);
    struct held_back *held = malloc(sizeof *held + packet->size);
    if (!held)
        return true;
    memcpy(held->payload, packet->payload, packet->size);
    held->packet = *packet;
    held->packet.payload = held->payload;
    held->at = now;
    probation->held = held;
    return given_up;
}

struct held_back *probation_take(struct probation *probation)
{
    struct held_back *held = probation->held;
    probation->held = NULL;
    return held;
}
