#include "sender.h"

#include <stdlib.h>
#include <string.h>

void sender_close(struct sender *sender)
{
    srtp_close(sender->srtp);
    free(sender->coding.quiet);
    sender->srtp = NULL;
    sender->coding.quiet = NULL;
}

bool sender_add_signs(struct sender *sender, const struct sign *signs, unsigned count)
{
    if (count > SIGNS - sender->sign_count)
        return false;
    for (unsigned n = 0; n < count; n++)
        sender->signs[(sender->sign + sender->sign_count++) % SIGNS] = signs[n];
    return true;
}

static size_t samples_of(const struct sender *sender)
{
    return (size_t)sender->coding.samples * sender->half_ticks;
}

static uint32_t units_of(const struct sender *sender)
{
    return sender->coding.units * sender->half_ticks;
}

static size_t finish(struct sender *sender, uint8_t *packet, struct rtp header, size_t size)
{
    header.sequence = sender->sequence++;
    header.ssrc = sender->ssrc;
    rtp_write_header(packet, &header);
    sender->packets++;
    sender->octets += size;
    size += RTP_HEADER;
    if (sender->srtp && srtp_protect(sender->srtp, packet, &size) != SRTP_GOOD)
        return 0;
    return size;
}

/* What leaves is told as samples; a digit is silence there. NULL for that. */
static void keep_said(struct sender *sender, const int16_t *samples, double now)
{
    static const int16_t silence[LONGEST_PACKET];
    if (!sender->said)
        return;
    if (!sender->said->count)
        sender->said_at = now;
    size_t forgotten = ring_add(sender->said, samples ? samples : silence, samples_of(sender));
    sender->said_at += (double)forgotten / (100.0 * sender->coding.samples);
}

static size_t make_audio(struct sender *sender, uint8_t *packet, size_t size, bool marker)
{
    struct rtp header = {
        .payload_type = sender->payload_type, .marker = marker, .timestamp = sender->timestamp};
    sender->timestamp += units_of(sender);
    return finish(sender, packet, header, size);
}

/* Of G.711, where a byte is a sample. */
static size_t make_codes(struct sender *sender, uint8_t *packet, bool marker, double now)
{
    int16_t samples[TICK_SAMPLES * LONGEST_PTIME];
    if (sender->said) { /* before encryption hides it */
        g711_decode(sender->coding.law, packet + RTP_HEADER, samples_of(sender), samples);
        keep_said(sender, samples, now);
    }
    return make_audio(sender, packet, samples_of(sender), marker);
}

static size_t make_silence(struct sender *sender, uint8_t *packet, double now)
{
    const struct coding *coding = &sender->coding;
    sender->quiet++;
    if (coding->law) {
        memset(packet + RTP_HEADER, coding->law->silence, samples_of(sender));
        return make_codes(sender, packet, false, now);
    }
    keep_said(sender, NULL, now);
    memcpy(packet + RTP_HEADER, coding->quiet, coding->quiet_size);
    return make_audio(sender, packet, coding->quiet_size, false);
}

/* A telephone event under the timestamp at which it began; time goes on. */
static size_t make_event(struct sender *sender, uint8_t *packet, const uint8_t payload[EVENT_SIZE],
                         bool marker, double now)
{
    if (marker)
        sender->sign_timestamp = sender->timestamp;
    struct rtp header = {.payload_type = sender->event_payload_type,
                         .marker = marker,
                         .timestamp = sender->sign_timestamp};
    sender->voice = false;
    sender->quiet++;
    sender->timestamp += units_of(sender);
    keep_said(sender, NULL, now);
    memcpy(packet + RTP_HEADER, payload, EVENT_SIZE);
    return finish(sender, packet, header, EVENT_SIZE);
}

static size_t make_sign(struct sender *sender, uint8_t *packet, double now)
{
    struct sign sign = sender->signs[sender->sign];
    sender->sign = (sender->sign + 1) % SIGNS;
    sender->sign_count--;
    sender->digits += sign.last;
    if (sign.gap)
        return make_silence(sender, packet, now);
    return make_event(sender, packet, sign.payload, sign.marker, now);
}

/* What the other peer says, and over it what is in the queue: a word to ours alone. */
static void mix(struct sender *sender, uint8_t *payload, bool queued)
{
    int16_t line[TICK_SAMPLES * LONGEST_PTIME], ours[TICK_SAMPLES * LONGEST_PTIME];
    size_t size = samples_of(sender);
    line_take(sender->line, line, size);
    if (queued) {
        g711_decode(sender->coding.law, payload, size, ours);
        for (size_t n = 0; n < size; n++) {
            int both = line[n] + ours[n];
            line[n] = (int16_t)(both > INT16_MAX ? INT16_MAX : both < INT16_MIN ? INT16_MIN : both);
        }
    }
    g711_encode(sender->coding.law, line, size, payload);
}

/* What was encoded for its turn, with its samples to tell; a line is for G.711 alone. */
static size_t make_packet(struct sender *sender, uint8_t *packet, double now)
{
    int16_t samples[LONGEST_PACKET] = {0}; /* what a last packet is filled up with */
    size_t size = queue_take_packet(&sender->queue, packet + RTP_HEADER, samples);
    bool marker = size && !sender->voice;
    sender->voice = size != 0;
    if (!size)
        return make_silence(sender, packet, now);
    sender->quiet = 0;
    keep_said(sender, samples, now);
    return make_audio(sender, packet, size, marker);
}

static size_t make_voice(struct sender *sender, uint8_t *packet, double now)
{
    const struct g711 *law = sender->coding.law;
    bool voice = queue_take(&sender->queue, law, packet + RTP_HEADER, samples_of(sender));
    if (sender->line) {
        mix(sender, packet + RTP_HEADER, voice);
        voice = true;
    }
    bool marker = voice && !sender->voice; /* RFC 3551 section 4.1: where a voice begins */
    sender->voice = voice;
    return voice ? make_codes(sender, packet, marker, now) : make_silence(sender, packet, now);
}

static bool relays_events(const struct sender *sender)
{
    return sender->line && sender->coding.law && sender->event_payload_type;
}

size_t sender_tick(struct sender *sender, uint8_t *packet, double now)
{
    sender->half_ticks_due += 2;
    return sender_next(sender, packet, now);
}

size_t sender_next(struct sender *sender, uint8_t *packet, double now)
{
    if (sender->half_ticks_due < sender->half_ticks)
        return 0;
    sender->half_ticks_due -= sender->half_ticks;
    struct relayed event;
    if (sender->sign_count)
        return make_sign(sender, packet, now);
    if (relays_events(sender) && line_take_event(sender->line, units_of(sender), &event))
        return make_event(sender, packet, event.payload, event.marker, now);
    if (!sender->coding.law)
        return make_packet(sender, packet, now);
    return make_voice(sender, packet, now);
}

void sender_skip_tick(struct sender *sender)
{
    sender->voice = false;
    sender->timestamp += 2 * sender->coding.units;
}

void sender_mute_tick(struct sender *sender)
{
    struct relayed unheard;
    if (relays_events(sender))
        line_take_event(sender->line, 2 * sender->coding.units, &unheard);
    sender_skip_tick(sender);
}
