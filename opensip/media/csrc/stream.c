#include "stream.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lock.h"
#include "near.h"

enum {
    MOST_PACKETS = 1024, /* of one socket and tick: a flood must not stop the other streams */
    FLOOD = 64, /* datagrams on one tick: the peer's own are no more, even after a second's stall */
    DEAF_TICKS = 50,     /* a second: from batch to batch where nobody listens */
    /* from batch to batch: */
    BATCH_TICKS = 5,  /* where no voice is near */
    VOICE_TICKS = 3,  /* of a voice that goes on, where that will do */
};

static const double FLOODED = 2; /* seconds that a flood is taken to last, unseen by us */

struct stream *stream_open(int socket, bool stamped)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return NULL;
    stream->socket = socket;
    atomic_init(&stream->owners, 2);
    stream->local.size = sizeof stream->local.v6;
    getsockname(socket, &stream->local.plain, &stream->local.size);
    int on = 1;
    stream->stamped =
        stamped && setsockopt(socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0;
    lock_open(&stream->lock);
    receiver_open(&stream->in);
    stream->report_at = INFINITY;
    stream->tell_at = -1;
    stream->out.coding = (struct coding){.law = &PCMU, .samples = RATE / 100, .units = RATE / 100};
    stream->out.half_ticks = 2;
    return stream;
}

struct stream *stream_retain(struct stream *stream)
{
    atomic_fetch_add(&stream->owners, 1);
    return stream;
}

void stream_release(struct stream *stream)
{
    uint64_t forgotten;
    if (!stream || atomic_fetch_sub(&stream->owners, 1) > 1)
        return;
    receiver_close(&stream->in);
    sender_close(&stream->out);
    joint_release(&(struct joint){stream->in.line, stream->out.line, stream->partner});
    pieces_free(queue_clear(&stream->out.queue, &forgotten));
    pieces_free(queue_take_spent(&stream->out.queue));
    free(stream->out.said);
    pthread_mutex_destroy(&stream->lock);
    free(stream);
}

/* Lets any source through again, on the same port: that may go where the system had picked it. */
static void disconnect_socket(struct stream *stream)
{
    struct address now = {.size = sizeof now.v6};
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    connect(stream->socket, &none, sizeof none);
    getsockname(stream->socket, &now.plain, &now.size);
    if (!address_equal(&now, &stream->local))
        bind(stream->socket, &stream->local.plain, stream->local.size);
    stream->connected = false;
}

void stream_let_all_in(struct stream *stream)
{
    if (stream->connected)
        disconnect_socket(stream);
}

static void exchange(struct srtp **one, struct srtp **other)
{
    struct srtp *kept = *one;
    *one = *other;
    *other = kept;
}

/* What is sent from now on; what waits goes on as it was, or as it was made anew of that. */
static void configure_sender(struct sender *out, struct stream_config *config)
{
    struct coding old = out->coding;
    if (config->requeue)
        config->pieces = queue_exchange(&out->queue, config->pieces, config->since,
                                        old.samples, config->coding.samples);
    if (config->said && out->said) {
        struct ring *said = out->said;
        out->said = config->said;
        config->said = said;
        config->said_at = out->said_at;
    }
    out->coding = config->coding;
    config->coding = old;
    out->payload_type = config->payload_type;
    out->event_payload_type = config->event_payload_type;
    out->half_ticks = config->half_ticks;
    if (out->half_ticks_due > out->half_ticks) /* of a packet time that is over */
        out->half_ticks_due = out->half_ticks;
}

void stream_configure(struct stream *stream, struct stream_config *config)
{
    struct receiver *in = &stream->in;
    struct sender *out = &stream->out;
    if (config->new_receive) {
        exchange(&in->srtp, &config->receive);
        if (in->srtp && config->receive)
            srtp_follow(in->srtp, config->receive);
        exchange(&in->former, &config->receive);
        in->grace = in->former ? GRACE : 0;
    }
    if (config->new_transmit)
        exchange(&out->srtp, &config->transmit);
    if (!config->beside != !in->beside) { /* else the room that is there goes on */
        struct beside *old = in->beside;
        in->beside = config->beside;
        config->beside = old;
        in->beside_count = 0;
    }
    if (config->opaque && !in->opaque) { /* what is in it stays, whatever may come later */
        in->opaque = config->opaque;
        config->opaque = NULL;
    }
    in->mux = config->mux;
    in->open = config->open;
    if (config->new_latch) {
        in->latch = (struct latch){.remote = config->remote,
                                   .signalled = config->remote,
                                   .former = in->latch.remote,
                                   .grace = in->latch.remote.size ? GRACE : 0,
                                   .symmetric = config->symmetric,
                                   .authenticated = in->srtp != NULL};
        stream_let_all_in(stream);
    }
    memcpy(in->encodings, config->encodings, sizeof in->encodings);
    memcpy(in->kilohertz, config->kilohertz, sizeof in->kilohertz);
    stream->sending = config->sending;
    configure_sender(out, config);
}

/* When the kernel took the packet in, on the clock of `now`: a tick of polling is no jitter. */
static double came_at(struct msghdr *message, const struct tick *tick)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SO_TIMESTAMPNS)
            continue;
        struct timespec stamp;
        memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
        double at = (double)stamp.tv_sec + (double)stamp.tv_nsec * 1e-9 - tick->since_epoch;
        if (at <= tick->now && at > tick->now - 1) /* else somebody has set the clock */
            return at;
    }
    return tick->now;
}

static ssize_t receive(const struct stream *stream, uint8_t *data, struct address *source,
                       const struct tick *tick, double *at, bool *cut)
{
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct timespec))];
    struct iovec room = {data, RTP_LARGEST};
    struct msghdr message = {.msg_name = &source->plain, .msg_namelen = sizeof source->v6,
                             .msg_iov = &room, .msg_iovlen = 1};
    if (stream->stamped) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
    }
    ssize_t size = recvmsg(stream->socket, &message, MSG_DONTWAIT);
    source->size = message.msg_namelen;
    *cut = message.msg_flags & MSG_TRUNC;
    *at = size >= 0 && stream->stamped ? came_at(&message, tick) : tick->now;
    return size;
}

static void receive_all(struct stream *stream, const struct tick *tick)
{
    uint8_t data[RTP_LARGEST];
    struct address source;
    double at;
    bool cut;
    for (int n = 0; n < MOST_PACKETS; n++) {
        if (n == FLOOD)
            stream->flooded_until = tick->now + FLOODED;
        ssize_t size = receive(stream, data, &source, tick, &at, &cut);
        if (size >= 0 && cut)
            stream->in.dropped[DROP_MALFORMED]++;
        else if (size >= 0)
            receiver_take(&stream->in, data, (size_t)size, &source, at);
        else if (errno == ECONNREFUSED)
            stream->refused++; /* the peer's port is closed; that is for signalling to judge */
        else if (errno != EINTR)
            return;
    }
}

/*
 * Once it is clear who the peer is, the kernel keeps everybody else out: of a flood nothing comes
 * here, and the peer's packets find room in the socket. A peer that makes checks or handshakes may
 * make them from anywhere; there the kernel helps in a flood alone. See also outsiders.py.
 */
static void keep_outsiders_out(struct stream *stream, double now)
{
    const struct receiver *in = &stream->in;
    const struct latch *latch = &in->latch;
    bool wanted = in->open && latch->remote.size &&
                  latch_is_alone(latch, in->heard_any, in->last_received, now) &&
                  (!in->beside || now < stream->flooded_until);
    if (!wanted || !address_equal(&stream->whom, &latch->remote)) /* that had waited till now */
        stream_let_all_in(stream);
    if (!wanted || stream->connected)
        return;
    stream->whom = latch->remote;
    stream->connected = connect(stream->socket, &stream->whom.plain, stream->whom.size) == 0;
}

void stream_join(struct stream *stream, struct joint *joint)
{
    struct joint had = {stream->in.line, stream->out.line, stream->partner};
    stream->in.line = joint->to;
    stream->out.line = joint->from;
    stream->partner = joint->partner;
    *joint = had;
}

void joint_release(const struct joint *joint)
{
    line_release(joint->to);
    line_release(joint->from);
    stream_release(joint->partner);
}

static void send_packet(struct stream *stream, const uint8_t *packet, size_t size)
{
    const struct address *remote = &stream->in.latch.remote;
    ssize_t sent = stream->connected
                       ? send(stream->socket, packet, size, MSG_DONTWAIT | MSG_NOSIGNAL)
                       : sendto(stream->socket, packet, size, MSG_DONTWAIT | MSG_NOSIGNAL,
                                &remote->plain, remote->size);
    if (sent < 0 && errno == ECONNREFUSED)
        stream->refused++; /* of the packet before */
    else if (sent < 0)
        stream->unsent++; /* a full buffer, or no route: the next packet may do better */
}

static void send_packets(struct stream *stream, double now)
{
    uint8_t packet[RTP_LARGEST + SRTP_LARGEST_TAG];
    if (stream->out.line)
        line_tick(stream->out.line, now);
    if (!stream->in.open || !stream->sending) {
        sender_mute_tick(&stream->out);
        return;
    }
    size_t size = sender_tick(&stream->out, packet, now);
    for (; size; size = sender_next(&stream->out, packet, now))
        send_packet(stream, packet, size);
}

void stream_receive(struct stream *stream, const struct tick *tick)
{
    receive_all(stream, tick);
    stream->received = true;
}

void stream_bring_near(const struct stream *stream)
{
    bring_near(stream, offsetof(struct stream, out.signs));
    bring_near(&stream->in, offsetof(struct receiver, reorder.held));
    bring_near(&stream->in.heard, offsetof(struct ring, samples[TICK_SAMPLES]));
}

/* What was only pointed to in that. */
static void bring_rest_near(const struct stream *stream)
{
    srtp_bring_near(stream->in.srtp);
    srtp_bring_near(stream->out.srtp);
    queue_bring_near(&stream->out.queue);
}

/* Ticks from batch to batch while what will do goes on; 0: it does not, which is told at once. */
static unsigned patience(const struct stream *stream)
{
    bool voiced = stream->in.gate == HOLD_TICKS;
    if (stream->in.line)
        return 0;
    if (stream->steady == STEADY_VOICE && voiced)
        return VOICE_TICKS;
    return stream->steady == STEADY_SILENCE && !voiced ? BATCH_TICKS : 0;
}

void stream_tick(struct stream *stream, const struct tick *tick, unsigned turn)
{
    uint64_t digits = stream->out.digits;
    bring_rest_near(stream);
    if (!stream->received)
        receive_all(stream, tick);
    stream->received = false;
    keep_outsiders_out(stream, tick->now);
    receiver_tick(&stream->in, tick->now);
    send_packets(stream, tick->now);
    stream->ticks++;
    stream->at = tick->now;
    bool low = (int64_t)stream->out.queue.queued <= stream->tell_at;
    unsigned waits = patience(stream);
    /* nobody takes turns with a peer who hears another: a recording has time */
    bool voice = stream->prompt || (stream->in.gate && !stream->in.line && !waits);
    bool due = turn % (waits ? waits : BATCH_TICKS) == 0;
    stream->changed |= low || digits != stream->out.digits;
    if (stream->in.deaf) /* then for what there is to do, and that somebody looks at the figures */
        due = due && (stream->ticks >= DEAF_TICKS || stream->in.moved ||
                      tick->now >= stream->report_at);
    stream->due |= due || voice || stream->in.event_count || stream->in.beside_count ||
                   stream->changed;
    if (stream->due || (stream->in.opaque && stream->in.opaque->used))
        atomic_store(&stream->pending, true);
}

void stream_skip(struct stream *stream, unsigned ticks)
{
    stream->ticks += ticks;
    while (ticks--)
        sender_skip_tick(&stream->out);
}
