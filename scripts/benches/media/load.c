/*
 * The other ends of the media benchmarks: sends SRTP on every call, spread over the 20 ms as real
 * ones are, and counts what comes back.
 *
 * usage: load CALLS SUITE KEY_HEX count|echo|bridge
 * Prints its ports, reads those of the subject, and sends 50 packets a second and call until its
 * standard input ends. Then it prints JSON: packets sent, received, and lost on the way back (gaps
 * in the sequence). With echo or bridge what comes back is decrypted, and told how long a frame
 * was on its way (kernel's time of its arrival less the time before it was sent), in ms: each
 * frame says its number in every octet, and comes back on its own call, or that of its partner.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "rtp.h"
#include "srtp.h"

enum {
    SLOTS = 20,    /* of the 20 ms */
    NUMBERS = 100, /* by which a frame is known: two seconds */
    FRAME = 160,
    DELAYS = 1 << 22,
    LONGEST_MS = 1000,
};

struct call {
    int socket;
    struct srtp *sending, *receiving;
    uint16_t sequence, next;
    bool heard;
    double sent_at[NUMBERS];
};

static struct call *calls;
static int count;
static enum { COUNT, ECHO, BRIDGE } mode;
static unsigned long sent, received, lost, unread;
static float *delays;
static size_t delay_count;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static double seconds(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void open_call(struct call *call, const char *suite, const uint8_t *key, size_t size)
{
    struct sockaddr_in own = loopback(0);
    socklen_t length = sizeof own;
    int on = 1;
    call->socket = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    call->sending = srtp_open(suite, key, size);
    call->receiving = srtp_open(suite, key, size);
    if (call->socket < 0 || !call->sending || !call->receiving ||
        bind(call->socket, (struct sockaddr *)&own, length) < 0)
        die("load: cannot open a call");
    setsockopt(call->socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    getsockname(call->socket, (struct sockaddr *)&own, &length);
    printf("%d ", ntohs(own.sin_port));
}

static void send_frame(struct call *call, int number)
{
    uint8_t packet[RTP_HEADER + FRAME + SRTP_LARGEST_TAG];
    size_t size = RTP_HEADER + FRAME;
    struct rtp header = {.sequence = call->sequence, .ssrc = 0x1000u + (uint32_t)number,
                         .timestamp = (uint32_t)FRAME * call->sequence};
    int place = call->sequence++ % NUMBERS;
    rtp_write_header(packet, &header);
    memset(packet + RTP_HEADER, 1 + place, FRAME); /* loud: every level gate is open */
    srtp_protect(call->sending, packet, &size);
    call->sent_at[place] = seconds(CLOCK_REALTIME);
    sent += send(call->socket, packet, size, MSG_NOSIGNAL) > 0;
}

static double came_at(struct msghdr *message)
{
    struct cmsghdr *part = CMSG_FIRSTHDR(message);
    struct timespec stamp;
    if (!part || part->cmsg_type != SCM_TIMESTAMPNS)
        return seconds(CLOCK_REALTIME);
    memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
    return (double)stamp.tv_sec + (double)stamp.tv_nsec * 1e-9;
}

/* A frame that is not all of one octet was mixed or concealed, or says nothing: not timed. */
static void time_frame(const struct call *from, const uint8_t *payload, double at)
{
    int place = payload[0] - 1;
    if (place < 0 || place >= NUMBERS || memcmp(payload, payload + 1, FRAME - 1))
        return;
    double delay = 1000 * (at - from->sent_at[place]);
    if (from->sent_at[place] && delay >= 0 && delay < LONGEST_MS && delay_count < DELAYS)
        delays[delay_count++] = (float)delay;
}

static void note(struct call *call, struct call *from, uint8_t *data, size_t size, double at)
{
    struct rtp packet;
    if (size < RTP_HEADER)
        return;
    uint16_t sequence = read16(data + 2);
    if (call->heard && (uint16_t)(sequence - call->next) < 0x8000)
        lost += (uint16_t)(sequence - call->next);
    call->heard = true;
    call->next = (uint16_t)(sequence + 1);
    received++;
    if (mode == COUNT)
        return;
    if (srtp_unprotect(call->receiving, data, &size) != SRTP_GOOD || !rtp_parse(&packet, data, size))
        unread++;
    else if (packet.size == FRAME)
        time_frame(from, packet.payload, at);
}

static void receive(int number)
{
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct timespec))];
    uint8_t data[RTP_LARGEST];
    struct call *call = &calls[number];
    struct call *from = mode == BRIDGE ? &calls[number ^ 1] : call;
    for (;;) {
        struct iovec room = {data, sizeof data};
        struct msghdr message = {.msg_iov = &room, .msg_iovlen = 1, .msg_control = control,
                                 .msg_controllen = sizeof control};
        ssize_t size = recvmsg(call->socket, &message, MSG_DONTWAIT);
        if (size < 0 && (errno == EINTR || errno == ECONNREFUSED))
            continue;
        if (size < 0)
            return;
        note(call, from, data, (size_t)size, came_at(&message));
    }
}

/* What was sent while nobody read has overflowed the sockets: that is no loss on the way. */
static void forget_waiting(void)
{
    uint8_t data[RTP_LARGEST];
    for (int n = 0; n < count; n++)
        while (recv(calls[n].socket, data, sizeof data, MSG_DONTWAIT) > 0)
            ;
}

static bool ended(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, 0) > 0;
}

static void run(void)
{
    double start = seconds(CLOCK_MONOTONIC);
    for (unsigned long slot = 0; slot % SLOTS || !ended(); slot++) {
        double due = start + (double)slot * 0.02 / SLOTS;
        struct timespec time = {.tv_sec = (time_t)due};
        time.tv_nsec = (long)((due - (double)time.tv_sec) * 1e9);
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
            ;
        for (int n = (int)(slot % SLOTS); n < count; n += SLOTS) {
            receive(n);
            send_frame(&calls[n], n);
        }
    }
    for (int n = 0; n < count; n++)
        receive(n);
}

static int ascending(const void *one, const void *two)
{
    float a = *(const float *)one, b = *(const float *)two;
    return (a > b) - (a < b);
}

static double quantile(double share)
{
    return delay_count ? delays[(size_t)(share * (double)(delay_count - 1))] : 0;
}

static void report(void)
{
    qsort(delays, delay_count, sizeof *delays, ascending);
    printf("{\"sent\": %lu, \"received\": %lu, \"lost\": %lu, \"unread\": %lu, \"timed\": %zu, "
           "\"p50_ms\": %.2f, \"p95_ms\": %.2f, \"p99_ms\": %.2f}\n",
           sent, received, lost, unread, delay_count, quantile(0.5), quantile(0.95),
           quantile(0.99));
}

static size_t read_key(const char *text, uint8_t *key, size_t most)
{
    size_t size = strlen(text) / 2;
    if (size > most)
        die("load: the key is too long");
    for (size_t n = 0; n < size; n++)
        sscanf(text + 2 * n, "%2hhx", &key[n]);
    return size;
}

int main(int argc, char **argv)
{
    uint8_t key[SRTP_LARGEST_MASTER];
    struct sched_param first = {.sched_priority = 1};
    if (argc != 5) {
        fprintf(stderr, "usage: load CALLS SUITE KEY_HEX count|echo|bridge\n");
        return 2;
    }
    count = atoi(argv[1]);
    mode = strcmp(argv[4], "bridge") == 0 ? BRIDGE : strcmp(argv[4], "echo") == 0 ? ECHO : COUNT;
    size_t size = read_key(argv[3], key, sizeof key);
    calls = calloc((size_t)count, sizeof *calls);
    delays = malloc(DELAYS * sizeof *delays);
    if (!calls || !delays)
        die("load: no memory");
    for (int n = 0; n < count; n++)
        open_call(&calls[n], argv[2], key, size);
    printf("\n");
    fflush(stdout);
    for (int n = 0; n < count; n++) {
        int port;
        if (scanf("%d", &port) != 1)
            die("load: a port of the subject is missing");
        struct sockaddr_in peer = loopback(port);
        if (connect(calls[n].socket, (struct sockaddr *)&peer, sizeof peer) < 0)
            die("load: connect");
    }
    sched_setscheduler(0, SCHED_RR, &first); /* in time like a telephone, where we may be */
    forget_waiting();
    run();
    report();
    return 0;
}
