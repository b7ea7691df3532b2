/* Batches as Python's types, made without running Python: fifty a second and stream. */
#ifndef OPENSIP_MODULE_SHAPE_H
#define OPENSIP_MODULE_SHAPE_H

#include <stdbool.h>

#include "module.h"

/*
 * What batches and frames look like: examples of the tuple types of opensip/media/engine.py and
 * opensip/audio/frame.py. What an example has is kept but for the fields that a batch begins with
 * (at, seconds, heard), and of a frame at, samples, level and, if given, levels (all but the rate).
 */
struct shape {
    PyObject *batch, *frame;
    PyObject *array, *kind; /* array(bytes, kind) makes samples of bytes */
};

/* Takes (batch, frame, array, kind); false with an exception set when they are not such. */
bool shape_read(struct shape *shape, PyObject *parts);
void shape_clear(struct shape *shape);

/*
 * What a simple batch is made of. `heard` is bytes or NULL, `levels` a tuple or NULL: where there is
 * nothing to tell of pieces. Both are given away.
 */
struct simple {
    double at, seconds, heard_at, level;
    PyObject *heard, *levels;
};

/* Makes a batch; NULL with an exception set. */
PyObject *shape_batch(const struct shape *shape, const struct simple *simple);

#endif
