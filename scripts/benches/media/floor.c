/*
 * The floor under any media engine: one receive and one send per packet and call on a common
 * 20 ms tick, each call on its own socket. No crypto, no codec, no headers read.
 *
 * usage: floor CALLS WARM_UP_SECONDS SECONDS
 * Reads the peers' ports from standard input, prints its own, runs, and prints
 * "cpu_seconds received sent" of the time after warming up.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

enum {
    PACKET_SIZE = 182, /* 20 ms of G.711 in SRTP with an 80-bit tag */
    LARGEST = 2048,
    CATCH_UP = 2, /* packets taken per call and tick, so that a late one is caught up with */
    TICK_NS = 20 * 1000 * 1000,
};

struct call {
    int socket;
    struct sockaddr_in peer;
};

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void open_call(struct call *call, int peer_port)
{
    struct sockaddr_in own = loopback(0);
    socklen_t size = sizeof own;
    call->socket = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (call->socket < 0 || bind(call->socket, (struct sockaddr *)&own, size) < 0)
        die("floor: cannot bind a socket");
    if (getsockname(call->socket, (struct sockaddr *)&own, &size) < 0)
        die("floor: getsockname");
    call->peer = loopback(peer_port);
    printf("%d ", ntohs(own.sin_port));
}

static double cpu_seconds(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
}

static void sleep_until(struct timespec *next)
{
    next->tv_nsec += TICK_NS;
    if (next->tv_nsec >= 1000 * 1000 * 1000) {
        next->tv_nsec -= 1000 * 1000 * 1000;
        next->tv_sec++;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL);
}

static long receive(const struct call *call)
{
    unsigned char packet[LARGEST];
    struct sockaddr_in source;
    socklen_t size = sizeof source;
    long received = 0;
    while (received < CATCH_UP &&
           recvfrom(call->socket, packet, sizeof packet, 0, (struct sockaddr *)&source, &size) > 0)
        received++;
    return received;
}

int main(int argc, char **argv)
{
    static const unsigned char packet[PACKET_SIZE];
    struct timespec next;
    double cpu_before = 0;
    long received = 0, sent = 0;

    if (argc != 4) {
        fprintf(stderr, "usage: floor CALLS WARM_UP_SECONDS SECONDS\n");
        return 2;
    }
    int count = atoi(argv[1]);
    long warm_up = 50 * atol(argv[2]), ticks = warm_up + 50 * atol(argv[3]);
    struct call *calls = calloc((size_t)count, sizeof *calls);
    if (!calls)
        die("floor: no memory");
    for (int i = 0; i < count; i++) {
        int port;
        if (scanf("%d", &port) != 1)
            die("floor: a peer's port is missing");
        open_call(&calls[i], port);
    }
    printf("\n");
    fflush(stdout);

    clock_gettime(CLOCK_MONOTONIC, &next);
    for (long tick = 0; tick < ticks; tick++) {
        if (tick == warm_up) {
            cpu_before = cpu_seconds();
            received = sent = 0;
        }
        sleep_until(&next);
        for (int i = 0; i < count; i++)
            received += receive(&calls[i]);
        for (int i = 0; i < count; i++)
            sent += sendto(calls[i].socket, packet, sizeof packet, 0,
                           (struct sockaddr *)&calls[i].peer, sizeof calls[i].peer) > 0;
    }
    printf("%f %ld %ld\n", cpu_seconds() - cpu_before, received, sent);
    return 0;
}
