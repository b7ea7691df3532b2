#include "sender.h"

#include <string.h>

#include "arrival.h"
#include "rtp.h"

void sender_close(struct sender *sender)
{
    srtp_close(sender->srtp);
    sender->srtp = NULL;
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
    return TICK_SAMPLES / 2 * sender->half_ticks;
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
static void keep_said(struct sender *sender, const uint8_t *payload, double now)
{
    int16_t samples[TICK_SAMPLES * LONGEST_PTIME] = {0};
    size_t size = samples_of(sender);
    if (!sender->said)
        return;
    if (payload)
        g711_decode(sender->law, payload, size, samples);
    if (!sender->said->count)
        sender->said_at = now;
    sender->said_at += (double)ring_add(sender->said, samples, size) / RATE;
}

static size_t make_audio(struct sender *sender, uint8_t *packet, bool marker, double now)
{
    size_t size = samples_of(sender);
    struct rtp header = {
        .payload_type = sender->payload_type, .marker = marker, .timestamp = sender->timestamp};
    keep_said(sender, packet + RTP_HEADER, now); /* before encryption hides it */
    sender->timestamp += (uint32_t)size;
    return finish(sender, packet, header, size);
}

static size_t make_silence(struct sender *sender, uint8_t *packet, double now)
{
    memset(packet + RTP_HEADER, sender->law->silence, samples_of(sender));
    return make_audio(sender, packet, false, now);
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
    sender->timestamp += (uint32_t)samples_of(sender);
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
        g711_decode(sender->law, payload, size, ours);
        for (size_t n = 0; n < size; n++) {
            int both = line[n] + ours[n];
            line[n] = (int16_t)(both > INT16_MAX ? INT16_MAX : both < INT16_MIN ? INT16_MIN : both);
        }
    }
    g711_encode(sender->law, line, size, payload);
}

static bool relays_events(const struct sender *sender)
{
    return sender->line && sender->event_payload_type;
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
    if (relays_events(sender) && line_take_event(sender->line, (uint32_t)samples_of(sender), &event))
        return make_event(sender, packet, event.payload, event.marker, now);
    bool voice = queue_take(&sender->queue, sender->law, packet + RTP_HEADER, samples_of(sender));
    if (sender->line) {
        mix(sender, packet + RTP_HEADER, voice);
        voice = true;
    }
    bool marker = voice && !sender->voice; /* RFC 3551 section 4.1: where a voice begins */
    sender->voice = voice;
    return voice ? make_audio(sender, packet, marker, now) : make_silence(sender, packet, now);
}

void sender_skip_tick(struct sender *sender)
{
    sender->voice = false;
    sender->timestamp += TICK_SAMPLES;
}
