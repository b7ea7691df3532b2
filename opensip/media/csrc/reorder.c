#include "reorder.h"

#include <stdlib.h>
#include <string.h>

static const double GAP_WAIT = 0.040; /* seconds; what comes later was lost for the listener */
enum { MAX_DROPOUT = 3000, MAX_MISORDER = 100 }; /* packets, RFC 3550 appendix A.1 */

struct held {
    struct rtp packet;
    double at;
    uint8_t payload[];
};

void reorder_begin(struct reorder *reorder, reorder_taker *take, void *context)
{
    reorder_close(reorder);
    *reorder = (struct reorder){.after_jump = -1, .take = take, .context = context};
}

void reorder_close(struct reorder *reorder)
{
    while (reorder->count)
        free(reorder->held[--reorder->count]);
}

/* Keeps a copy: this is rare, so memory is asked for only now. Short of it, the packet is lost. */
static void hold(struct reorder *reorder, const struct rtp *packet, double now)
{
    struct held *held = malloc(sizeof *held + packet->size);
    if (!held)
        return;
    memcpy(held->payload, packet->payload, packet->size);
    held->packet = *packet;
    held->packet.payload = held->payload;
    held->at = now;
    reorder->held[reorder->count++] = held;
}

static int find(const struct reorder *reorder, uint16_t sequence)
{
    for (int n = 0; n < reorder->count; n++)
        if (reorder->held[n]->packet.sequence == sequence)
            return n;
    return -1;
}

static int first_held(const struct reorder *reorder)
{
    int first = 0;
    for (int n = 1; n < reorder->count; n++)
        if ((uint16_t)(reorder->held[n]->packet.sequence - reorder->next) <
            (uint16_t)(reorder->held[first]->packet.sequence - reorder->next))
            first = n;
    return first;
}

static struct held *remove_held(struct reorder *reorder, int place)
{
    struct held *held = reorder->held[place];
    reorder->held[place] = reorder->held[--reorder->count];
    return held;
}

static void hand_on_held(struct reorder *reorder, int place)
{
    struct held *held = remove_held(reorder, place);
    reorder->next = (uint16_t)(held->packet.sequence + 1);
    reorder->take(reorder->context, &held->packet, held->at);
    free(held);
}

static void hand_on_following(struct reorder *reorder)
{
    int place;
    while (reorder->count && (place = find(reorder, reorder->next)) >= 0)
        hand_on_held(reorder, place);
}

static void hand_on(struct reorder *reorder, const struct rtp *packet, double now)
{
    reorder->next = (uint16_t)(packet->sequence + 1);
    reorder->take(reorder->context, packet, now);
    hand_on_following(reorder);
}

static void skip_to_first(struct reorder *reorder)
{
    int place = first_held(reorder);
    reorder->lost += (uint16_t)(reorder->held[place]->packet.sequence - reorder->next);
    hand_on_held(reorder, place);
    hand_on_following(reorder);
}

static void shift(uint64_t *came, unsigned steps)
{
    for (; steps >= 64; steps -= 64) {
        came[1] = came[0];
        came[0] = 0;
    }
    if (steps) {
        came[1] = came[1] << steps | came[0] >> (64 - steps);
        came[0] <<= steps;
    }
}

/* Remembers that a packet came; false where that is no news, as far back as is known. */
static bool note(struct reorder *reorder, uint16_t sequence)
{
    uint16_t behind = (uint16_t)(reorder->newest - sequence);
    if (behind >= 0x8000) {
        unsigned ahead = 0x10000u - behind;
        shift(reorder->came, ahead < REORDER_REMEMBERED ? ahead : REORDER_REMEMBERED);
        reorder->came[0] |= 1;
        reorder->newest = sequence;
        return true;
    }
    if (behind >= REORDER_REMEMBERED)
        return true;
    uint64_t bit = (uint64_t)1 << behind % 64;
    bool known = reorder->came[behind / 64] & bit;
    reorder->came[behind / 64] |= bit;
    return !known;
}

static void note_order(struct reorder *reorder, uint16_t sequence)
{
    if ((int16_t)(sequence - reorder->newest) < 0)
        reorder->reordered++;
    note(reorder, sequence);
}

static void put_ahead(struct reorder *reorder, const struct rtp *packet, double now)
{
    if (find(reorder, packet->sequence) >= 0) {
        reorder->duplicate++;
        return;
    }
    note_order(reorder, packet->sequence);
    hold(reorder, packet, now);
    if (reorder->count > REORDER_HELD)
        skip_to_first(reorder);
}

/* The sender began anew: what is held of before goes first. */
static void jump(struct reorder *reorder, const struct rtp *packet, double now)
{
    reorder_begin_again(reorder);
    reorder->started = true;
    reorder->newest = packet->sequence;
    note(reorder, packet->sequence);
    hand_on(reorder, packet, now);
}

void reorder_begin_again(struct reorder *reorder)
{
    while (reorder->count)
        skip_to_first(reorder);
    reorder->started = false;
    reorder->after_jump = -1;
    memset(reorder->came, 0, sizeof reorder->came);
}

void reorder_put(struct reorder *reorder, const struct rtp *packet, double now)
{
    if (!reorder->started) {
        reorder->started = true;
        reorder->next = reorder->newest = packet->sequence;
    }
    uint16_t ahead = (uint16_t)(packet->sequence - reorder->next);
    if (ahead == 0) {
        note_order(reorder, packet->sequence);
        hand_on(reorder, packet, now);
    } else if (ahead < MAX_DROPOUT) {
        put_ahead(reorder, packet, now);
    } else if (ahead >= 0x10000 - MAX_MISORDER) {
        if (note(reorder, packet->sequence))
            reorder->late++;
        else
            reorder->duplicate++;
    } else if (packet->sequence == reorder->after_jump) {
        jump(reorder, packet, now);
    } else {
        reorder->after_jump = (uint16_t)(packet->sequence + 1);
    }
}

void reorder_release(struct reorder *reorder, double now)
{
    /* times are sums of floats, hence the grace */
    while (reorder->count && now - reorder->held[first_held(reorder)]->at >= GAP_WAIT - 1e-9)
        skip_to_first(reorder);
}
