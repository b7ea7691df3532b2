/*
 * Fuzzes everything of the native engine that reads a packet: RTP, SRTP, SRTCP, order, decoding,
 * playout.
 *
 * usage: packets CPU_SECONDS SEED
 * Starts from packets that are valid and authenticated, and breaks them before or after they are
 * protected. Each lies in memory of exactly its size, so that the sanitizer sees one byte too
 * many. Prints "executions: N"; a broken invariant aborts, and says the seed to find it again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "g711.h"
#include "line.h"
#include "playback.h"
#include "receiver.h"
#include "rtp.h"
#include "srtp.h"

enum { LONGEST_ROW = 400, CONTEXTS = 5, LARGEST = 600 };

static const char *const SUITES[CONTEXTS - 1] = {"AES_CM_128_HMAC_SHA1_80",
                                                 "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_128_GCM",
                                                 "AEAD_AES_256_GCM"};
static const size_t MASTER[CONTEXTS - 1] = {30, 30, 28, 44};

static uint64_t state, seed, executions;
static struct playback playback;

static uint32_t dice(uint32_t sides)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % sides;
}

static void check(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "broken after %llu packets of seed %llu: %s\n", (unsigned long long)executions,
            (unsigned long long)seed, what);
    abort();
}

/*
 * A valid packet of a call that goes on, now and then with CSRCs, an extension or padding; of a
 * `wide` one most are for Python to decode.
 */
static size_t make(uint8_t *at, uint16_t sequence, uint32_t ssrc, bool wide)
{
    static const uint8_t narrow_types[] = {0, 0, 0, 0, 8, 13, 101, 101, 96, 9};
    static const uint8_t wide_types[] = {9, 9, 9, 9, 9, 111, 111, 111, 0, 101};
    static const size_t sizes[] = {160, 160, 160, 80, 240, 480, 4, 0, 1};
    struct rtp header = {.payload_type = wide ? wide_types[dice(sizeof wide_types)]
                                              : narrow_types[dice(sizeof narrow_types)],
                         .marker = dice(8) == 0,
                         .sequence = sequence, .timestamp = 160u * sequence, .ssrc = ssrc};
    size_t size = RTP_HEADER;
    rtp_write_header(at, &header);
    if (dice(6) == 0) {
        unsigned count = dice(4);
        at[0] |= (uint8_t)count;
        size += 4 * count;
    }
    if (dice(6) == 0) {
        unsigned words = dice(4);
        at[0] |= 0x10;
        write16(at + size, 0xBEDE);
        write16(at + size + 2, (uint16_t)words);
        size += 4 + 4 * words;
    }
    size_t payload = sizes[dice(sizeof sizes / sizeof *sizes)];
    for (size_t n = 0; n < payload; n++)
        at[size + n] = (uint8_t)dice(256);
    size += payload;
    if (dice(6) == 0) {
        unsigned padding = 1 + dice(8);
        at[0] |= 0x20;
        size += padding;
        at[size - 1] = (uint8_t)padding;
    }
    return size;
}

static size_t break_it(uint8_t *at, size_t size)
{
    for (unsigned times = dice(3); size && times < 3; times++) {
        size_t place = dice(3) ? dice(size < 20 ? (uint32_t)size : 20) : dice((uint32_t)size);
        switch (dice(6)) {
        case 0: at[place] ^= (uint8_t)(1 << dice(8)); break;
        case 1: at[place] = (uint8_t)dice(256); break;
        case 2: size = dice((uint32_t)size + 1); break;
        case 3: at[size - 1] = (uint8_t)dice(256); break;
        case 4: at[0] = (uint8_t)(0x80 | dice(64)); break;
        default: write16(at + (place & ~(size_t)1), (uint16_t)dice(65536));
        }
    }
    return size;
}

/* What is played on is given packets that were found good; here any that can be read. */
static void play(const uint8_t *data, size_t size, double now)
{
    int16_t samples[JITTER_FRAME];
    struct rtp packet;
    if (!rtp_parse(&packet, data, size))
        return;
    jitter_buffer_put(&playback.buffer, packet.sequence, packet.timestamp, packet.payload,
                      packet.size, now);
    if (dice(2))
        playback_tick(&playback, samples, now);
    check(playback.buffer.count <= JITTER_BLOCKS + JITTER_OVERSHOOT, "too many blocks");
    check(playback.buffer.depth <= 0.1201, "the depth");
}

static void take_copy(struct receiver *receiver, const uint8_t *data, size_t size, double now)
{
    struct address source = {0};
    uint8_t *exact = malloc(size ? size : 1);
    address_read(&source, dice(20) ? "192.0.2.1" : "2001:db8::1", dice(20) ? 4000 : (int)dice(9));
    memcpy(exact, data, size);
    play(exact, size, now);
    receiver_take(receiver, exact, size, &source, now);
    free(exact);
    executions++;
}

static void check_invariants(const struct receiver *receiver)
{
    check(receiver->heard.count <= RING_SAMPLES, "more is heard than there is room");
    check(receiver->event_count >= 0 && receiver->event_count <= EVENTS, "too many events");
    check(receiver->reorder.count >= 0 && receiver->reorder.count <= REORDER_HELD, "too many held");
    check(receiver->gate >= 0, "the gate");
    check(receiver->late_count >= 0 && receiver->late_count <= LATES, "too many late");
    check(receiver->beside_count >= 0 && receiver->beside_count <= MOST_BESIDE, "too many beside");
    for (int n = 0; n < receiver->beside_count; n++)
        check(receiver->beside[n].size <= RTP_LARGEST, "the size beside");
    check(receiver->strangers.total >= 0 && receiver->strangers.total <= STRANGERS_A_SECOND,
          "too many strangers");
    check(receiver->arrivals.jitter >= 0, "jitter");
    for (int n = 0; n < receiver->event_count; n++)
        check(receiver->events[n].packet.size <= EVENT_BYTES, "the size of an event");
}

/* Reads what Python decodes, as it is read for that. */
static void check_opaque(const struct opaque *opaque)
{
    struct opaque_head head;
    size_t left = opaque->used, size;
    check(left <= OPAQUE_ROOM, "more is to be decoded than there is room");
    uint8_t *exact = malloc(left ? left : 1), *at = exact;
    memcpy(exact, opaque->data, left);
    for (; (size = opaque_read(at, left, &head)); at += size, left -= size) {
        check(size <= left && head.size && head.size <= RTP_LARGEST, "the size of a payload");
        check(head.payload_type == 9 || head.payload_type == 111, "a payload type");
        check(head.behind <= RING_SAMPLES, "what is heard before it");
    }
    check(!left, "half a payload");
    free(exact);
}

static void drain(struct receiver *receiver)
{
    static int16_t samples[RING_SAMPLES];
    if (dice(40) == 0) {
        check_opaque(receiver->opaque);
        receiver->opaque->used = 0;
        ring_take(&receiver->heard, samples);
    }
    if (dice(10) == 0)
        receiver->event_count = receiver->late_count = receiver->beside_count = 0;
}

static void open_receiver(struct receiver *receiver, const char *suite, const uint8_t *master,
                          size_t size)
{
    static const struct { uint8_t number, encoding, kilohertz; } formats[] = {
        {0, ENCODING_PCMU, 8}, {8, ENCODING_PCMA, 8}, {9, ENCODING_OPAQUE, 8},
        {111, ENCODING_OPAQUE, 48}, {13, ENCODING_NOISE, 0}, {101, ENCODING_EVENT, 0}};
    receiver_open(receiver);
    for (size_t n = 0; n < sizeof formats / sizeof *formats; n++) {
        receiver->encodings[formats[n].number] = formats[n].encoding;
        receiver->kilohertz[formats[n].number] = formats[n].kilohertz;
    }
    receiver->opaque = calloc(1, sizeof *receiver->opaque);
    receiver->srtp = suite ? srtp_open(suite, master, size) : NULL;
    receiver->open = true;
    receiver->latch.symmetric = true;
    receiver->latch.authenticated = suite != NULL;
    address_read(&receiver->latch.remote, "192.0.2.1", 4000);
    receiver->line = line_open(true);
    if (dice(2)) { /* other protocols share the port */
        receiver->beside = calloc(MOST_BESIDE, sizeof *receiver->beside);
        receiver->mux = dice(2);
    }
}

/* A report as it was sealed, broken, doubled; what is refused must be left as it came. */
static void report(struct srtp *sending, struct srtp *receiving, uint32_t ssrc)
{
    uint8_t data[LARGEST + SRTCP_LARGEST_TRAILER], plain[LARGEST];
    size_t size = dice(20) ? 8 + dice(200) : dice(9), made = size;
    for (size_t n = 0; n < size; n++)
        plain[n] = data[n] = (uint8_t)dice(256);
    if (size >= 8)
        write32(data + 4, ssrc), write32(plain + 4, ssrc);
    check((srtcp_protect(sending, data, &size) == SRTP_GOOD) == (made >= 8), "a report is sealed");
    bool broken = dice(2);
    if (broken)
        size = break_it(data, size);
    for (int times = 0; times < 2; times++) {
        size_t left = size;
        uint8_t *exact = malloc(size ? size : 1);
        memcpy(exact, data, size);
        bool good = srtcp_unprotect(receiving, exact, &left) == SRTP_GOOD;
        check(broken || good == (made >= 8 && !times), "a report is good, once");
        if (good)
            check(left == made && !memcmp(exact, plain, made), "what is read of a report");
        else
            check(left == size && !memcmp(exact, data, size), "a refused report");
        free(exact);
    }
    executions++;
}

/* What another stream does with what this one's peer says and keys. */
static void send_on(struct line *line, double now)
{
    int16_t samples[LINE_FRAMES * JITTER_FRAME];
    struct relayed event;
    line_tick(line, now);
    if (dice(3) == 0 && !line_take_event(line, 160 * (1 + dice(3)), &event))
        line_take(line, samples, JITTER_FRAME / 2 * (1 + dice(2 * LINE_FRAMES)));
    check(line->count <= LINE_FRAMES * JITTER_FRAME, "more frames than a packet has");
    check(line->events.count <= PRESSES, "too many presses");
}

/* One call: a row of packets, some of them broken, late, doubled or from elsewhere. */
static void run_row(struct receiver *receiver, unsigned which)
{
    uint8_t master[SRTP_LARGEST_MASTER], data[LARGEST + SRTP_LARGEST_TAG], last[LARGEST];
    size_t last_size = 0;
    for (size_t n = 0; n < sizeof master; n++)
        master[n] = (uint8_t)dice(256);
    const char *suite = which < CONTEXTS - 1 ? SUITES[which] : NULL;
    struct srtp *sending = suite ? srtp_open(suite, master, MASTER[which]) : NULL;
    struct srtp *told = suite ? srtcp_open(suite, master, MASTER[which]) : NULL;
    struct srtp *heard = suite ? srtcp_open(suite, master, MASTER[which]) : NULL;
    open_receiver(receiver, suite, master, suite ? MASTER[which] : 0);
    uint16_t sequence = (uint16_t)dice(65536);
    uint32_t ssrc = dice(3);
    playback_begin(&playback, dice(2) ? &PCMU : &PCMA);
    bool wide = dice(2);
    bool away = dice(4) == 0;             /* Python does not come to fetch anything */
    double pace = dice(3) ? 0.02 : 0.0001; /* a burst: a gap is not given up meanwhile */
    for (unsigned n = 0; n < LONGEST_ROW; n++) {
        double now = n * pace;
        sequence += dice(20) ? 1 : (uint16_t)dice(5000);
        ssrc += dice(60) == 0;
        size_t size = make(data, dice(10) ? sequence : (uint16_t)(sequence - dice(9)), ssrc, wide);
        if (dice(4) == 0)
            size = break_it(data, size);
        if (sending)
            srtp_protect(sending, data, &size); /* a refused one goes as it is */
        if (dice(4) == 0)
            size = break_it(data, size);
        take_copy(receiver, data, size, now);
        if (last_size && dice(8) == 0)
            take_copy(receiver, last, last_size, now);
        memcpy(last, data, last_size = size < sizeof last ? size : 0);
        if (dice(2))
            receiver_tick(receiver, now);
        if (dice(2))
            send_on(receiver->line, now);
        if (told && dice(8) == 0)
            report(told, heard, ssrc);
        check_invariants(receiver);
        if (!away)
            drain(receiver);
    }
    srtp_close(sending);
    srtp_close(told);
    srtp_close(heard);
    check_opaque(receiver->opaque);
    receiver_close(receiver);
    line_release(receiver->line);
    line_release(receiver->line);
}

int main(int argc, char **argv)
{
    static struct receiver receiver;
    if (argc != 3) {
        fprintf(stderr, "usage: packets CPU_SECONDS SEED\n");
        return 2;
    }
    double seconds = atof(argv[1]);
    seed = strtoull(argv[2], NULL, 10);
    state = seed * 0x9E3779B97F4A7C15ull + 1;
    g711_prepare();
    for (unsigned row = 0; (double)clock() / CLOCKS_PER_SEC < seconds; row++)
        run_row(&receiver, row % CONTEXTS);
    printf("executions: %llu\n", (unsigned long long)executions);
    return 0;
}
