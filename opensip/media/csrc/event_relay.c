#include "event_relay.h"

enum {
    ENDS = 3,              /* RFC 4733 section 2.5.1.4 */
    MAX_DURATION = 0xFFFF, /* timestamp units */
    TOLERANCE = 160,       /* timestamp units: a packet time */
    END_LOST = 960,        /* timestamp units without a packet after which a press is over */
    GAP = 2,               /* packet times between two presses, so that they stay two */
};

/* Timestamp units back; what is older is a clock that was set anew. */
static const uint32_t LATEST = 2 * (MAX_DURATION + 1);

static struct press *newest(struct event_relay *relay)
{
    return &relay->presses[(relay->first + PRESSES + relay->count - 1) % PRESSES];
}

void event_relay_know(struct event_relay *relay, const struct press *press)
{
    relay->begun = true;
    *newest(relay) = *press;
}

void event_relay_begin(struct event_relay *relay)
{
    relay->begun = false;
    for (unsigned n = 0; n < relay->count; n++)
        relay->presses[(relay->first + n) % PRESSES].ended = true;
}

static void begin_press(struct event_relay *relay, const struct press *press)
{
    relay->begun = relay->count < PRESSES; /* else somebody presses faster than can be told */
    if (!relay->begun)
        return;
    relay->count++;
    *newest(relay) = *press;
}

/* Takes one more packet of a press, or of the next one where a sender forgets to move its time. */
static void follow(struct event_relay *relay, struct press *last, const struct press *came,
                   bool marker)
{
    if (marker && last->ended && came->segment < last->segment) {
        begin_press(relay, came);
        return;
    }
    if (came->segment > last->segment)
        last->segment = came->segment;
    last->ended |= came->ended;
    last->quiet = 0;
}

/* Goes on with the next segment of a long press (section 2.5.1.3). */
static void go_on(struct press *last, const struct press *came, uint32_t step)
{
    if (came->segment < last->segment)
        last->earlier = last->earlier + step < MAX_DURATION ? last->earlier + step : MAX_DURATION;
    last->segment = came->segment;
    last->timestamp = came->timestamp;
    last->ended = came->ended;
    last->quiet = 0;
}

void event_relay_put(struct event_relay *relay, const struct rtp *packet)
{
    if (packet->size < EVENT_SIZE)
        return;
    struct press came = {.event = packet->payload[0], .volume = packet->payload[1] & 0x3F,
                         .ended = packet->payload[1] > 0x7F, .timestamp = packet->timestamp,
                         .segment = read16(packet->payload + 2)};
    struct press *last = newest(relay);
    uint32_t step = came.timestamp - last->timestamp;
    bool same = came.event == last->event;
    if (!relay->begun)
        begin_press(relay, &came);
    else if (step == 0 && same)
        follow(relay, last, &came, packet->marker);
    else if (step >= 0 - LATEST)
        return; /* a late packet of an earlier press */
    else if (same && !last->ended && !packet->marker && step <= (uint32_t)last->segment + TOLERANCE)
        go_on(last, &came, step);
    else
        begin_press(relay, &came);
}

static uint32_t duration_of(const struct press *press)
{
    uint32_t duration = press->earlier + press->segment;
    return duration < MAX_DURATION ? duration : MAX_DURATION;
}

static void write_payload(const struct event_relay *relay, const struct press *press, bool ended,
                          struct relayed *to)
{
    uint32_t duration = relay->sent < MAX_DURATION ? relay->sent : MAX_DURATION;
    to->payload[0] = press->event;
    to->payload[1] = (uint8_t)(press->volume | (ended ? 0x80 : 0));
    write16(to->payload + 2, (uint16_t)duration);
}

static void drop_first(struct event_relay *relay)
{
    relay->first = (relay->first + 1) % PRESSES;
    relay->count--;
    relay->sent = 0;
    relay->gap = GAP;
}

bool event_relay_next(struct event_relay *relay, uint32_t units, struct relayed *to)
{
    if (relay->gap) {
        relay->gap--;
        return false;
    }
    if (!relay->count)
        return false;
    struct press *press = &relay->presses[relay->first];
    to->marker = !relay->sent;
    press->quiet += units;
    if (press->quiet > END_LOST)
        press->ended = true;
    if (!relay->ends && press->ended && relay->sent && relay->sent >= duration_of(press))
        relay->ends = ENDS;
    if (!relay->ends)
        relay->sent += units;
    write_payload(relay, press, relay->ends > 0, to);
    if (relay->ends && !--relay->ends)
        drop_first(relay);
    return true;
}
