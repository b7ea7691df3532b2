#include "engine.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static const double TICK = 0.02; /* seconds */
enum {
    CATCH_UP = 10,   /* ticks made up for at once after a stall; older audio is worth nothing */
    NEIGHBOURS = 16, /* streams that hand on on the same ticks: Python is woken less often */
};

struct engine {
    _Atomic(struct stream *) added, ended; /* lists that both sides reach without waiting */
    atomic_uint_fast64_t late, skipped;
    int descriptor;
    bool threaded, running;
    atomic_bool stopping;
    sem_t work; /* posted for each stream, and to stop: without streams the thread sleeps on it */
    pthread_t thread;

    /* The rest belongs to whoever runs the ticks. */
    struct stream **streams;
    size_t count, room;
    double due; /* the next tick; 0 while there is no stream */
    unsigned tick;
};

static double seconds(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void push(_Atomic(struct stream *) *list, struct stream *stream)
{
    stream->next = atomic_load(list);
    while (!atomic_compare_exchange_weak(list, &stream->next, stream))
        ;
}

struct engine *engine_open(bool threaded)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return NULL;
    engine->threaded = threaded;
    sem_init(&engine->work, 0, 0);
    engine->descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (engine->descriptor < 0) {
        free(engine);
        return NULL;
    }
    return engine;
}

/* ---- the ticks */

static void sleep_until(double when)
{
    struct timespec time = {.tv_sec = (time_t)when};
    time.tv_nsec = (long)((when - (double)time.tv_sec) * 1e9);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
        ;
}

static void take_added(struct engine *engine, double now)
{
    struct stream *stream = atomic_exchange(&engine->added, NULL), *oldest = NULL;
    while (stream) { /* the list has the newest first */
        struct stream *next = stream->next;
        stream->next = oldest;
        oldest = stream;
        stream = next;
    }
    for (; oldest; oldest = stream) {
        stream = oldest->next;
        if (engine->count == engine->room) {
            size_t room = engine->room ? 2 * engine->room : 64;
            struct stream **more = realloc(engine->streams, room * sizeof *more);
            if (!more) {
                push(&engine->ended, oldest);
                continue;
            }
            engine->streams = more;
            engine->room = room;
        }
        oldest->place = engine->count;
        engine->streams[engine->count++] = oldest;
    }
    if (engine->count && !engine->due)
        engine->due = now + TICK;
}

static void drop_closed(struct engine *engine)
{
    size_t kept = 0;
    for (size_t n = 0; n < engine->count; n++) {
        struct stream *stream = engine->streams[n];
        if (atomic_load(&stream->closed)) {
            push(&engine->ended, stream);
            continue;
        }
        stream->place = kept;
        engine->streams[kept++] = stream;
    }
    engine->count = kept;
    if (!kept)
        engine->due = 0;
}

/* So that not all of very many streams hand on what they hear at once. */
static unsigned turn_of(const struct engine *engine, const struct stream *stream)
{
    return engine->tick + (unsigned)(stream->place / NEIGHBOURS);
}

/* The lock may be had only after Python had closed the stream: then its socket is gone. */
static void tick_locked(struct engine *engine, struct stream *stream, const struct tick *tick)
{
    stream->ticked = engine->tick;
    if (!atomic_load(&stream->closed))
        stream_tick(stream, tick, turn_of(engine, stream));
}

static void receive_locked(struct stream *stream, const struct tick *tick)
{
    if (!atomic_load(&stream->closed))
        stream_receive(stream, tick);
}

/*
 * Two that are joined have their turn together: what one of them hears by now is sent to the
 * other's peer at once, not after the turns of all between them. Where the partner's lock is taken
 * it has a turn of its own, and what it hears may be late by a tick. The stream's lock is held,
 * and with it the partner stays.
 */
static void tick_pair(struct engine *engine, struct stream *stream, const struct tick *tick)
{
    struct stream *partner = stream->partner;
    bool both = partner && partner->ticked != engine->tick &&
                pthread_mutex_trylock(&partner->lock) == 0;
    if (both) {
        receive_locked(stream, tick);
        receive_locked(partner, tick);
    }
    tick_locked(engine, stream, tick);
    if (both) {
        tick_locked(engine, partner, tick);
        pthread_mutex_unlock(&partner->lock);
    }
}

static void run_tick(struct engine *engine, const struct tick *tick)
{
    bool waiting = false;
    engine->tick++;
    engine->due += TICK;
    for (size_t n = 0; n < engine->count; n++) {
        struct stream *stream = engine->streams[n];
        if (n + 1 < engine->count)
            stream_bring_near(engine->streams[n + 1]);
        if (stream->ticked == engine->tick)
            continue;
        if (pthread_mutex_trylock(&stream->lock) == 0) {
            tick_pair(engine, stream, tick);
            pthread_mutex_unlock(&stream->lock);
        } else {
            waiting = true; /* whoever holds it may have lost the processor: others first */
        }
    }
    for (size_t n = 0; waiting && n < engine->count; n++) {
        struct stream *stream = engine->streams[n];
        if (stream->ticked == engine->tick)
            continue;
        pthread_mutex_lock(&stream->lock);
        tick_pair(engine, stream, tick);
        pthread_mutex_unlock(&stream->lock);
    }
}

static void skip(struct engine *engine, unsigned ticks)
{
    atomic_fetch_add(&engine->skipped, ticks);
    engine->due += ticks * TICK;
    for (size_t n = 0; n < engine->count; n++) {
        pthread_mutex_lock(&engine->streams[n]->lock);
        stream_skip(engine->streams[n], ticks);
        pthread_mutex_unlock(&engine->streams[n]->lock);
    }
}

static void wake_python(struct engine *engine)
{
    static const uint64_t one = 1;
    for (size_t n = 0; n < engine->count; n++) {
        if (atomic_load(&engine->streams[n]->pending)) {
            if (write(engine->descriptor, &one, sizeof one) < 0)
                return; /* it is awake already */
            return;
        }
    }
}

double engine_run(struct engine *engine, double now)
{
    drop_closed(engine);
    take_added(engine, now);
    if (!engine->due || now < engine->due - 1e-6)
        return engine->due;
    struct tick tick = {.now = now};
    if (engine->threaded)
        tick.since_epoch = seconds(CLOCK_REALTIME) - now;
    double behind = (now - engine->due) / TICK;
    unsigned late = behind > 0 ? (unsigned)behind : 0;
    if (late > CATCH_UP) {
        skip(engine, late - CATCH_UP);
        late = CATCH_UP;
    }
    atomic_fetch_add(&engine->late, late);
    for (unsigned n = 0; n <= late; n++)
        run_tick(engine, &tick);
    wake_python(engine);
    return engine->due;
}

/* ---- the thread */

static void *run_thread(void *argument)
{
    struct engine *engine = argument;
    while (!atomic_load(&engine->stopping)) {
        double due = engine_run(engine, seconds(CLOCK_MONOTONIC));
        if (due)
            sleep_until(due);
        else
            sem_wait(&engine->work);
    }
    return NULL;
}

/*
 * Before whatever else wants the processor, where the system lets us (CAP_SYS_NICE, rtprio): it is
 * a fraction of a millisecond each tick, and a caller hears when it is late.
 */
static void go_first(pthread_t thread)
{
    struct sched_param first = {.sched_priority = sched_get_priority_min(SCHED_RR)};
    (void)pthread_setschedparam(thread, SCHED_RR, &first); /* else as everybody */
}

/* Signals are Python's: a thread that takes one would be late, and Python would not know. */
static int start_thread(struct engine *engine)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&engine->thread, NULL, run_thread, engine);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!error) {
        pthread_setname_np(engine->thread, "opensip-media");
        go_first(engine->thread);
    }
    engine->running = !error;
    return error;
}

int engine_add(struct engine *engine, struct stream *stream)
{
    int error = engine->threaded && !engine->running ? start_thread(engine) : 0;
    if (error)
        return error;
    push(&engine->added, stream);
    sem_post(&engine->work);
    return 0;
}

void engine_sweep(struct engine *engine)
{
    struct stream *stream = atomic_exchange(&engine->ended, NULL);
    while (stream) {
        struct stream *next = stream->next;
        stream_release(stream);
        stream = next;
    }
}

void engine_close(struct engine *engine)
{
    atomic_store(&engine->stopping, true);
    sem_post(&engine->work);
    if (engine->running)
        pthread_join(engine->thread, NULL);
    take_added(engine, 0);
    for (size_t n = 0; n < engine->count; n++)
        push(&engine->ended, engine->streams[n]);
    engine_sweep(engine);
    free(engine->streams);
    close(engine->descriptor);
    sem_destroy(&engine->work);
    free(engine);
}

int engine_descriptor(const struct engine *engine)
{
    return engine->descriptor;
}

void engine_clear(struct engine *engine)
{
    uint64_t count;
    if (read(engine->descriptor, &count, sizeof count) < 0)
        return; /* nothing was there */
}

uint64_t engine_late(const struct engine *engine)
{
    return atomic_load(&engine->late);
}

uint64_t engine_skipped(const struct engine *engine)
{
    return atomic_load(&engine->skipped);
}
