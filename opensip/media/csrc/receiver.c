#include "receiver.h"

#include <stdlib.h>
#include <string.h>

#include "g711.h"

const char *const REASONS[DROP_REASONS] = {
    [DROP_EARLY] = "early",       [DROP_MALFORMED] = "malformed",
    [DROP_FORGED] = "forged",     [DROP_REPLAYED] = "replayed",
    [DROP_RTCP] = "rtcp",         [DROP_PAYLOAD_TYPE] = "payload_type",
    [DROP_SOURCE] = "source",     [DROP_CROWDED] = "crowded",
    [DROP_SSRC] = "ssrc",
};

enum {
    LONGEST_FILL = RATE / 2,  /* samples of lost audio that are filled with silence */
};

/* -48 dB of full scale: below the quietest telephone speech, above the noise of most lines. */
static const double VOICE_POWER = 32768.0 * 32768.0 * 1.5848931924611134e-05;

static const enum reason REASON_OF[] = {[SRTP_MALFORMED] = DROP_MALFORMED,
                                        [SRTP_REPLAYED] = DROP_REPLAYED,
                                        [SRTP_FORGED] = DROP_FORGED};

static void collect(void *context, const struct rtp *packet, double at);

void receiver_open(struct receiver *receiver)
{
    memset(receiver, 0, sizeof *receiver);
    receiver->clock_rate = RATE;
    receiver->opaque_type = -1;
    arrivals_begin(&receiver->arrivals, RATE);
    media_clock_begin(&receiver->clock, RATE);
    strangers_begin(&receiver->strangers);
    reorder_begin(&receiver->reorder, collect, receiver);
}

void receiver_close(struct receiver *receiver)
{
    reorder_close(&receiver->reorder);
    free(probation_take(&receiver->probation));
    free(receiver->beside);
    free(receiver->opaque);
    receiver->beside = NULL;
    receiver->opaque = NULL;
    srtp_close(receiver->srtp);
    srtp_close(receiver->former);
    receiver->srtp = receiver->former = NULL;
}

/*
 * Begins with a new source: its numbers and times mean nothing to the last one's, of which what
 * is left is handed on first.
 */
static void begin(struct receiver *receiver, uint32_t ssrc)
{
    reorder_begin_again(&receiver->reorder);
    receiver->begun = true;
    receiver->ssrc = ssrc;
    arrivals_begin(&receiver->arrivals, receiver->clock_rate);
    media_clock_begin(&receiver->clock, receiver->clock_rate);
    receiver->has_next = false;
    receiver->opaque_type = -1;
    if (receiver->line)
        line_begin(receiver->line);
}

static void keep_samples(struct receiver *receiver, const int16_t *samples, size_t count,
                         int64_t power)
{
    size_t forgotten = ring_add(&receiver->heard, samples, count);
    if (forgotten) {
        receiver->unread += forgotten;
        receiver->heard_at += (double)forgotten / RATE;
    }
    receiver->fresh_power += power;
    receiver->fresh += count;
}

static void decode(struct receiver *receiver, const struct g711 *law, const uint8_t *codes,
                   size_t size)
{
    int16_t samples[RTP_LARGEST];
    int64_t power = g711_decode(law, codes, size, samples);
    keep_samples(receiver, samples, size, power);
}

/* Where audio was lost: silence as the codec has it. */
static void fill(struct receiver *receiver, const struct g711 *law, size_t missing)
{
    uint8_t silence[160];
    memset(silence, law->silence, sizeof silence);
    while (missing) {
        size_t size = missing < sizeof silence ? missing : sizeof silence;
        decode(receiver, law, silence, size);
        missing -= size;
    }
}

/* Tells when a sound came, by the clock of its codec, which may be another than before. */
static double time_of(struct receiver *receiver, const struct rtp *packet, double at)
{
    unsigned rate = 1000u * receiver->kilohertz[packet->payload_type];
    if (rate != receiver->clock_rate) {
        receiver->clock_rate = rate;
        receiver->has_next = false;
        arrivals_change_clock(&receiver->arrivals, rate);
        media_clock_begin(&receiver->clock, rate);
    }
    return media_clock_time(&receiver->clock, packet->timestamp, at);
}

/* What Python decodes: only that knows how long it lasts, and so what is missing after it. */
static void collect_opaque(struct receiver *receiver, const struct rtp *packet, double at)
{
    struct opaque_head head = {.at = time_of(receiver, packet, at),
                               .behind = (uint32_t)receiver->heard.count,
                               .follows = receiver->opaque_type == packet->payload_type};
    receiver->has_next = false;
    receiver->opaque_type = -1;
    if (receiver->deaf || !receiver->opaque)
        return;
    receiver->unread += opaque_add(receiver->opaque, head, packet);
    receiver->opaque_type = packet->payload_type;
}

static void collect_audio(struct receiver *receiver, enum encoding codec, const struct rtp *packet,
                          double at)
{
    const struct g711 *law = codec == ENCODING_PCMA ? &PCMA : &PCMU;
    double time = time_of(receiver, packet, at);
    uint32_t missing = packet->timestamp - receiver->next_timestamp;
    receiver->opaque_type = -1;
    receiver->next_timestamp = packet->timestamp + (uint32_t)packet->size;
    if (receiver->deaf)
        return;
    if (!receiver->heard.count)
        receiver->heard_at = time;
    else if (receiver->has_next && missing && missing <= LONGEST_FILL)
        fill(receiver, law, missing);
    decode(receiver, law, packet->payload, packet->size);
    receiver->has_next = true;
}

static void collect_event(struct receiver *receiver, const struct rtp *packet)
{
    if (receiver->event_count == EVENTS)
        return; /* an event is repeated; Python has been away for a second */
    struct event *event = &receiver->events[receiver->event_count++];
    event->packet = *packet;
    if (packet->size > EVENT_BYTES)
        event->packet.size = EVENT_BYTES;
    memcpy(event->payload, packet->payload, event->packet.size);
}

static void collect(void *context, const struct rtp *packet, double at)
{
    struct receiver *receiver = context;
    enum encoding encoding = receiver->encodings[packet->payload_type];
    if (encoding == ENCODING_EVENT) {
        if (receiver->line)
            line_press(receiver->line, packet);
        collect_event(receiver, packet);
    } else if (encoding == ENCODING_NOISE && packet->size) {
        if (receiver->line)
            line_set_noise(receiver->line, packet->payload[0] & 0x7f);
        collect_event(receiver, packet);
    } else if ((encoding == ENCODING_PCMU || encoding == ENCODING_PCMA) && packet->size) {
        collect_audio(receiver, encoding, packet, at);
    } else if (encoding == ENCODING_OPAQUE && packet->size) {
        collect_opaque(receiver, packet, at);
    }
}

/* Sound that is played on goes there as it comes: the order is the playout buffer's to make. */
static void play_on(struct line *line, enum encoding encoding, const struct rtp *packet, double now)
{
    if (encoding == ENCODING_PCMU || encoding == ENCODING_PCMA)
        line_put(line, encoding == ENCODING_PCMA ? &PCMA : &PCMU, packet, now);
}

static void keep_late(struct receiver *receiver, enum encoding encoding, const struct rtp *packet)
{
    bool audio = encoding == ENCODING_PCMU || encoding == ENCODING_PCMA;
    if (!audio || receiver->deaf || !receiver->clock.started || receiver->late_count == LATES ||
        packet->size > LATE_SAMPLES)
        return;
    struct late *late = &receiver->lates[receiver->late_count++];
    late->at = media_clock_place(&receiver->clock, packet->timestamp);
    late->size = packet->size;
    g711_decode(encoding == ENCODING_PCMA ? &PCMA : &PCMU, packet->payload, packet->size,
                late->samples);
}

static void take_packet(struct receiver *receiver, const struct rtp *packet, double now)
{
    receiver->packets++;
    receiver->heard_any = true;
    receiver->last_received = now;
    enum encoding encoding = receiver->encodings[packet->payload_type];
    bool timed = encoding != ENCODING_EVENT;
    arrivals_note(&receiver->arrivals, packet->sequence, packet->timestamp, now, timed);
    if (receiver->line)
        play_on(receiver->line, encoding, packet, now);
    uint64_t late = receiver->reorder.late;
    reorder_put(&receiver->reorder, packet, now);
    if (receiver->reorder.late != late)
        keep_late(receiver, encoding, packet);
    reorder_release(&receiver->reorder, now);
}

/* Goes on with another source, from its beginning. */
static void change_source(struct receiver *receiver, uint32_t ssrc, double now)
{
    struct held_back *held = probation_take(&receiver->probation);
    begin(receiver, ssrc);
    probation_present(&receiver->probation, now);
    if (held && held->packet.ssrc == ssrc)
        take_packet(receiver, &held->packet, held->at);
    else if (held)
        receiver->dropped[DROP_SSRC]++;
    free(held);
}

/* Takes a packet of the peer, if its source is: nothing else tells under plain RTP. */
static void accept_packet(struct receiver *receiver, const struct rtp *packet, double now)
{
    struct probation *probation = &receiver->probation;
    if (receiver->begun && packet->ssrc == receiver->ssrc) {
        receiver->dropped[DROP_SSRC] += probation_present(probation, now);
    } else if (receiver->srtp || !receiver->begun || probation_proves(probation, packet, now)) {
        change_source(receiver, packet->ssrc, now);
    } else {
        receiver->dropped[DROP_SSRC] += probation_hold(probation, packet, now);
        return;
    }
    take_packet(receiver, packet, now);
}

/*
 * Takes the protection off, by the key of before while nothing came under the new one. What
 * fails under one key is left as it came, for the other.
 */
static enum srtp_result unprotect(struct receiver *receiver, uint8_t *data, size_t *size)
{
    enum srtp_result result = srtp_unprotect(receiver->srtp, data, size);
    if (result == SRTP_GOOD) {
        receiver->grace = 0;
    } else if (receiver->grace && srtp_unprotect(receiver->former, data, size) == SRTP_GOOD) {
        receiver->grace--;
        return SRTP_GOOD;
    }
    return result;
}

/* By the first octet (RFC 7983 section 7), RTCP by the second (RFC 5761). */
static bool is_beside(const struct receiver *receiver, const uint8_t *data, size_t size)
{
    if (!receiver->beside || !size)
        return false;
    return data[0] <= 3 || (data[0] >= 20 && data[0] <= 63) ||
           (receiver->mux && rtp_is_rtcp(data, size));
}

/* The peer has room of its own: strangers may take a part, and each of them a part of that. */
static bool has_room_beside(struct receiver *receiver, const struct address *source, bool strange,
                            double now)
{
    if (receiver->beside_count == MOST_BESIDE)
        return false;
    int strangers = 0;
    for (int n = 0; n < receiver->beside_count; n++)
        strangers += receiver->beside[n].strange;
    return !strange || (strangers < STRANGERS_WAITING &&
                        strangers_admit(&receiver->strangers, source, now));
}

static void put_beside(struct receiver *receiver, const uint8_t *data, size_t size,
                       const struct address *source, double now)
{
    bool strange = !address_equal(source, &receiver->latch.remote) &&
                   !strangers_know(&receiver->strangers, source);
    if (!has_room_beside(receiver, source, strange, now)) {
        receiver->dropped[DROP_CROWDED]++;
        return;
    }
    struct beside *beside = &receiver->beside[receiver->beside_count++];
    beside->source = *source;
    beside->strange = strange;
    beside->size = size;
    memcpy(beside->data, data, size);
}

void receiver_take(struct receiver *receiver, uint8_t *data, size_t size,
                   const struct address *source, double now)
{
    struct rtp packet;
    if (is_beside(receiver, data, size)) {
        put_beside(receiver, data, size, source, now);
        return;
    }
    if (!receiver->open) {
        receiver->dropped[DROP_EARLY]++;
        return;
    }
    if (receiver->srtp) {
        enum srtp_result result = unprotect(receiver, data, &size);
        if (result != SRTP_GOOD) {
            receiver->dropped[REASON_OF[result]]++;
            return;
        }
    }
    if (!rtp_parse(&packet, data, size)) {
        receiver->dropped[DROP_MALFORMED]++;
        return;
    }
    if (receiver->encodings[packet.payload_type] == ENCODING_NONE) {
        receiver->dropped[rtp_is_rtcp(data, size) ? DROP_RTCP : DROP_PAYLOAD_TYPE]++;
        return;
    }
    struct address before = receiver->latch.remote;
    if (!latch_admit(&receiver->latch, source, packet.ssrc, now)) {
        receiver->dropped[DROP_SOURCE]++;
        return;
    }
    if (!address_equal(&before, &receiver->latch.remote))
        receiver->moved = true;
    accept_packet(receiver, &packet, now);
}

void receiver_tick(struct receiver *receiver, double now)
{
    if (receiver->gate)
        receiver->gate--;
    reorder_release(&receiver->reorder, now);
    if ((double)receiver->fresh_power > VOICE_POWER * (double)receiver->fresh)
        receiver->gate = HOLD_TICKS;
    receiver->power += (double)receiver->fresh_power;
    receiver->fresh_power = 0;
    receiver->fresh = 0;
}
