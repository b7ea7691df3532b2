/* The common tick of many streams, on an absolute schedule. */
#ifndef OPENSIP_ENGINE_H
#define OPENSIP_ENGINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "stream.h"

struct engine;

/*
 * Makes an engine; NULL with errno set. With `threaded` it runs in a thread of its own, on
 * CLOCK_MONOTONIC, from the first stream on; else engine_run is what makes time pass.
 */
struct engine *engine_open(bool threaded);

/* Ends the thread, and lets go of every stream. */
void engine_close(struct engine *engine);

/* Adds a stream and so becomes its owner; gives an errno. Mark it closed to get it out again. */
int engine_add(struct engine *engine, struct stream *stream);

/* Lets go of streams that were closed and that no tick touches any more. Python's side calls it. */
void engine_sweep(struct engine *engine);

/* Runs every tick that is due; returns when the next one is. */
double engine_run(struct engine *engine, double now);

/* Readable (eventfd) when there is something to gather; engine_clear makes it wait again. */
int engine_descriptor(const struct engine *engine);
void engine_clear(struct engine *engine);

/* Ticks that came late and were made up for, and those that were left out. */
uint64_t engine_late(const struct engine *engine);
uint64_t engine_skipped(const struct engine *engine);

#endif
