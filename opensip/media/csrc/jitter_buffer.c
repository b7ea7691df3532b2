#include "jitter_buffer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arrival.h"

/* seconds */
static const double TICK = 0.020, MARGIN = 0.002, SLACK = 0.001;
static const double MIN_DEPTH = 0.022, MAX_DEPTH = 0.120;
static const int64_t MAX_HELD = RATE; /* units ahead of playing; what is further is another stream */
enum {
    MAX_CONCEALED = 5, /* frames; beyond 100 ms a repeated sound is a buzz */
    ADAPT_EVERY = 10,  /* ticks between two changes of the delay, so that they are not heard */
    RESTART_AFTER = 2, /* packets in a row that are too far off */
    FEWEST = 4,        /* packets to measure lateness by */
    MEASURE_EVERY = 8, /* packets, and whenever one is late */
};

void jitter_buffer_begin(struct jitter_buffer *buffer)
{
    memset(buffer, 0, sizeof *buffer);
    buffer->depth = MIN_DEPTH;
    buffer->played_sequence = -1;
}

static int find(const struct jitter_buffer *buffer, int64_t timestamp)
{
    for (int n = 0; n < buffer->count; n++)
        if (buffer->blocks[n].timestamp == timestamp)
            return n;
    return -1;
}

static int first_block(const struct jitter_buffer *buffer)
{
    int first = 0;
    for (int n = 1; n < buffer->count; n++)
        if (buffer->blocks[n].timestamp < buffer->blocks[first].timestamp)
            first = n;
    return first;
}

static void remove_block(struct jitter_buffer *buffer, int place)
{
    buffer->blocks[place] = buffer->blocks[--buffer->count];
}

/* Less than 5 ms at the end cannot be played. */
static void store(struct jitter_buffer *buffer, int64_t timestamp, uint16_t sequence,
                  const uint8_t *payload, size_t size)
{
    for (; size >= JITTER_BLOCK; size -= JITTER_BLOCK) {
        int place = find(buffer, timestamp);
        if (place < 0 && buffer->count == JITTER_BLOCKS + JITTER_OVERSHOOT)
            return;
        struct block *block = &buffer->blocks[place < 0 ? buffer->count++ : place];
        block->timestamp = timestamp;
        block->sequence = sequence;
        memcpy(block->payload, payload, JITTER_BLOCK);
        payload += JITTER_BLOCK;
        timestamp += JITTER_BLOCK;
    }
}

static void wait_again(struct jitter_buffer *buffer)
{
    buffer->playing = buffer->beginning = buffer->concealing = false;
    buffer->count = 0;
}

void jitter_buffer_forget(struct jitter_buffer *buffer)
{
    wait_again(buffer);
    buffer->played_sequence = -1;
}

/* Whether to leave out a packet that cannot belong here; it starts again at the second. */
static bool is_far(struct jitter_buffer *buffer, int64_t timestamp)
{
    int64_t reference = buffer->playing ? buffer->cursor : buffer->newest;
    if (llabs(timestamp - reference) <= MAX_HELD) {
        buffer->far = 0;
        return false;
    }
    if (!buffer->playing && !buffer->count) { /* after a pause any distance is right */
        buffer->newest = timestamp;
        return false;
    }
    if (++buffer->far < RESTART_AFTER) {
        buffer->counts.dropped++;
        return true;
    }
    buffer->far = 0;
    wait_again(buffer);
    buffer->newest = timestamp;
    return false;
}

/* Sets the depth by the lateness of the last packets: the worst but one and a quarter, a margin, a frame. */
static void measure(struct jitter_buffer *buffer)
{
    double least = buffer->transits[0], worst = -INFINITY, second = -INFINITY;
    for (int n = 0; n < buffer->transit_count; n++) {
        double transit = buffer->transits[n];
        if (transit < least)
            least = transit;
        if (transit > worst) {
            second = worst;
            worst = transit;
        } else if (transit > second) {
            second = transit;
        }
    }
    double late = second - least;
    buffer->depth = fmin(fmax(late + late / 4 + MARGIN + TICK, MIN_DEPTH), MAX_DEPTH);
}

static void note_transit(struct jitter_buffer *buffer, double transit, bool behind)
{
    buffer->transits[buffer->transit_next] = transit;
    buffer->transit_next = (buffer->transit_next + 1) % JITTER_WINDOW;
    if (buffer->transit_count < JITTER_WINDOW)
        buffer->transit_count++;
    if (buffer->transit_count >= FEWEST && (behind || buffer->counts.received % MEASURE_EVERY == 0))
        measure(buffer);
}

static double least_transit(const struct jitter_buffer *buffer)
{
    double least = buffer->transits[0];
    for (int n = 1; n < buffer->transit_count; n++)
        least = buffer->transits[n] < least ? buffer->transits[n] : least;
    return least;
}

/* Goes back to a frame that comes while its stand-in is heard: time stood still meanwhile. */
static bool turn_back(struct jitter_buffer *buffer, int64_t extended, double now)
{
    if (!buffer->concealing || extended < buffer->run)
        return false;
    if (now - (double)extended / RATE - least_transit(buffer) > MAX_DEPTH - TICK)
        return false;
    buffer->cursor = extended;
    buffer->adapted = 0;
    return true;
}

void jitter_buffer_put(struct jitter_buffer *buffer, uint16_t sequence, uint32_t timestamp,
                       const uint8_t *payload, size_t size, double now)
{
    if (buffer->counts.received++ == 0)
        buffer->newest = timestamp;
    int64_t extended = buffer->newest + (int32_t)(timestamp - (uint32_t)buffer->newest);
    if (is_far(buffer, extended))
        return;
    bool behind = buffer->playing && extended < buffer->cursor;
    bool late = behind && !turn_back(buffer, extended, now);
    if (late) {
        buffer->counts.late++;
        buffer->adapted = ADAPT_EVERY; /* the next may be as late: it is not waited with */
    } else if (find(buffer, extended) >= 0) {
        buffer->counts.duplicate++;
        return;
    } else if (buffer->count >= JITTER_BLOCKS) {
        buffer->counts.dropped++;
        return;
    } else {
        store(buffer, extended, sequence, payload, size);
        if (!buffer->beginning && buffer->count) {
            buffer->beginning = true;
            buffer->begin_at = now + buffer->depth - TICK;
            /* after a pause the sender's clock may stand elsewhere */
            buffer->transit_count = buffer->transit_next = 0;
        }
    }
    if (extended > buffer->newest)
        buffer->newest = extended;
    note_transit(buffer, now - (double)extended / RATE, behind);
}

static enum decision conceal(struct jitter_buffer *buffer)
{
    buffer->counts.concealed++;
    return DECISION_CONCEAL;
}

/* Takes the block at a timestamp out, into `payload` if that is given; gives its sequence or -1. */
static int take(struct jitter_buffer *buffer, int64_t timestamp, uint8_t *payload)
{
    int place = find(buffer, timestamp);
    if (place < 0)
        return -1;
    int sequence = buffer->blocks[place].sequence;
    if (payload)
        memcpy(payload, buffer->blocks[place].payload, JITTER_BLOCK);
    remove_block(buffer, place);
    return sequence;
}

/* Brings the delay nearer to the depth; true means: conceal, time stands still. */
static bool adapt(struct jitter_buffer *buffer, double now)
{
    if (buffer->transit_count < FEWEST)
        return false;
    double delay = now - (double)buffer->cursor / RATE - least_transit(buffer);
    if (delay < buffer->depth - TICK - SLACK) {
        buffer->adapted = 0;
        return true;
    }
    if (delay > buffer->depth + TICK && buffer->count * JITTER_BLOCK > JITTER_FRAME) {
        buffer->adapted = 0;
        buffer->counts.dropped++;
        for (int at = 0; at < JITTER_FRAME; at += JITTER_BLOCK)
            take(buffer, buffer->cursor + at, NULL);
        buffer->cursor += JITTER_FRAME;
        buffer->concealing = false;
    }
    return false;
}

/* Forgets what can never be played, and goes on at the first block where none is whole blocks away. */
static void follow(struct jitter_buffer *buffer)
{
    bool fits = false;
    for (int n = buffer->count - 1; n >= 0; n--) {
        int64_t ahead = buffer->blocks[n].timestamp - buffer->cursor;
        if (ahead < 0)
            remove_block(buffer, n);
        else if (ahead % JITTER_BLOCK == 0)
            fits = true;
    }
    if (buffer->count && !fits)
        buffer->cursor = buffer->blocks[first_block(buffer)].timestamp;
}

/* Whether there is but the beginning of a frame, and it was not waited for yet. */
static bool is_begun(const struct jitter_buffer *buffer)
{
    int64_t start = buffer->cursor;
    if (find(buffer, start) < 0 || (buffer->concealing && buffer->run == start))
        return false;
    for (int n = 0; n < buffer->count; n++)
        if (buffer->blocks[n].timestamp >= start + JITTER_FRAME)
            return false;
    for (int at = JITTER_BLOCK; at < JITTER_FRAME; at += JITTER_BLOCK)
        if (find(buffer, start + at) < 0)
            return true;
    return false;
}

static enum decision next_frame(struct jitter_buffer *buffer, uint8_t payload[JITTER_FRAME])
{
    follow(buffer);
    int64_t start = buffer->cursor;
    if (is_begun(buffer)) {
        buffer->run = start;
        buffer->concealing = true;
        return conceal(buffer);
    }
    buffer->cursor += JITTER_FRAME;
    int last = -1, taken = 0;
    for (int at = 0; at < JITTER_FRAME; at += JITTER_BLOCK) {
        int sequence = take(buffer, start + at, payload + at);
        if (sequence >= 0) {
            last = sequence;
            taken++;
        }
    }
    if (taken == JITTER_FRAME / JITTER_BLOCK) {
        buffer->empty_ticks = 0;
        buffer->concealing = false;
        buffer->played_sequence = last;
        buffer->counts.played++;
        return DECISION_PLAY;
    }
    bool found = taken > 0;
    if (!found && !buffer->concealing)
        buffer->run = start;
    buffer->concealing = !found;
    if (buffer->count) {
        int following = buffer->blocks[first_block(buffer)].sequence;
        if (!found && following == ((buffer->played_sequence + 1) & 0xFFFF)) {
            buffer->concealing = false;
            return DECISION_WAIT; /* nothing was sent here (RFC 3551 section 4.1) */
        }
        return conceal(buffer);
    }
    if (++buffer->empty_ticks <= MAX_CONCEALED)
        return conceal(buffer);
    wait_again(buffer);
    return DECISION_WAIT;
}

enum decision jitter_buffer_tick(struct jitter_buffer *buffer, uint8_t payload[JITTER_FRAME],
                                 double now)
{
    if (!buffer->playing) {
        if (!buffer->beginning || now < buffer->begin_at - 1e-6) /* ticks are sums of floats */
            return DECISION_WAIT;
        buffer->playing = true;
        buffer->cursor = buffer->blocks[first_block(buffer)].timestamp;
        buffer->empty_ticks = 0;
    }
    buffer->adapted++;
    if (buffer->adapted >= ADAPT_EVERY && adapt(buffer, now))
        return conceal(buffer);
    return next_frame(buffer, payload);
}
