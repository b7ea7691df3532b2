/* What Python is told of a stream since it last asked. */
#include <arpa/inet.h>
#include <math.h>
#include <string.h>

#include "module_stream.h"
#include "power.h"

static const double TICK = 0.02;           /* seconds */
static const double FULL_SCALE = 32768.0;  /* as in opensip/audio/level.py */
static const double SILENCE_DBFS = -100.0;
static const double QUIETEST_DBFS = -60.0; /* below it hardly anybody looks for a voice in pieces */
enum { MOST_LEVELS = 5 }; /* of a batch: 100 ms, and what is longer is rare */

/* Copies of what a batch is made of: no Python object but bytes is made under the lock. */
struct fetched {
    double at, seconds, heard_at, said_at, power;
    size_t samples;
    PyObject *heard, *said;
    PyObject *opaque; /* the data, as bytes */
    bool due;
    int event_count;
    struct event events[EVENTS];
    int late_count;
    struct late lates[LATES];
    int beside_count;
    PyObject *beside[MOST_BESIDE]; /* the data, as bytes */
    struct address sources[MOST_BESIDE];
    bool moved, attend; /* there is something for Python to do */
    struct address remote;
    struct piece *spent;
};

PyObject *address_object(const struct address *address)
{
    char host[INET6_ADDRSTRLEN];
    if (!address->size)
        return Py_NewRef(Py_None);
    bool v6 = address->plain.sa_family == AF_INET6;
    const void *bits = v6 ? (const void *)&address->v6.sin6_addr : &address->v4.sin_addr;
    uint16_t port = v6 ? address->v6.sin6_port : address->v4.sin_port;
    inet_ntop(address->plain.sa_family, bits, host, sizeof host);
    return Py_BuildValue("si", host, ntohs(port));
}

/* Bytes are no container, so making them runs no collector and no foreign code. */
static PyObject *take_ring(struct ring *ring)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(2 * ring->count));
    if (bytes)
        ring_take(ring, (int16_t *)PyBytes_AsString(bytes));
    else
        PyErr_Clear(); /* short of memory: what was heard stays for the next time */
    return bytes;
}

/* As above. */
static PyObject *take_opaque(struct opaque *opaque)
{
    if (!opaque || !opaque->used)
        return NULL;
    PyObject *bytes = bytes_of(opaque->data, opaque->used);
    if (bytes)
        opaque->used = 0;
    else
        PyErr_Clear();
    return bytes;
}

/* As above: short of memory a datagram is lost, as any may be. */
static void take_beside(struct receiver *in, struct fetched *to)
{
    to->beside_count = 0;
    for (int n = 0; n < in->beside_count; n++) {
        const struct beside *from = &in->beside[n];
        PyObject *data = PyBytes_FromStringAndSize((const char *)from->data, (Py_ssize_t)from->size);
        if (!data) {
            PyErr_Clear();
            continue;
        }
        to->sources[to->beside_count] = from->source;
        to->beside[to->beside_count++] = data;
    }
    in->beside_count = 0;
}

static void fetch(struct stream *stream, struct fetched *to)
{
    struct receiver *in = &stream->in;
    struct sender *out = &stream->out;
    to->at = stream->at;
    to->seconds = stream->ticks * TICK;
    to->heard_at = in->heard_at;
    to->power = in->power;
    to->samples = in->heard.count;
    to->heard = in->heard.count ? take_ring(&in->heard) : NULL;
    to->opaque = take_opaque(in->opaque);
    to->due = stream->due;
    to->spent = queue_take_spent(&out->queue);
    in->power = 0;
    if (!to->due) { /* Python may let what it decodes wait, and the rest waits here */
        to->said = NULL;
        to->event_count = to->beside_count = to->late_count = 0;
        to->moved = false;
        to->attend = stream->decodes = true;
        return;
    }
    to->said_at = out->said_at;
    to->said = out->said && out->said->count ? take_ring(out->said) : NULL;
    to->event_count = in->event_count;
    memcpy(to->events, in->events, (size_t)in->event_count * sizeof *in->events);
    take_beside(in, to);
    to->late_count = in->late_count;
    memcpy(to->lates, in->lates, (size_t)in->late_count * sizeof *in->lates);
    in->late_count = 0;
    to->moved = in->moved;
    to->remote = in->latch.remote;
    to->attend = to->opaque || stream->decodes || to->said || to->event_count || to->beside_count || to->late_count || to->moved || stream->changed ||
                 stream->at >= stream->report_at;
    stream->ticks = 0;
    stream->changed = stream->due = false;
    stream->decodes = to->opaque != NULL;
    in->event_count = 0;
    in->moved = false;
    if ((int64_t)out->queue.queued <= stream->tell_at)
        stream->tell_at = -1;
}

static PyObject *event_objects(const struct fetched *fetched)
{
    if (!fetched->event_count)
        return Py_NewRef(Py_None);
    PyObject *list = PyList_New(fetched->event_count);
    for (int n = 0; list && n < fetched->event_count; n++) {
        const struct event *event = &fetched->events[n];
        const struct rtp *packet = &event->packet;
        PyObject *fields = Py_BuildValue(
            "iikkNO", packet->payload_type, packet->sequence, (unsigned long)packet->timestamp,
            (unsigned long)packet->ssrc, bytes_of(event->payload, packet->size),
            packet->marker ? Py_True : Py_False);
        if (!fields) {
            Py_DECREF(list);
            return NULL;
        }
        PyList_SetItem(list, n, fields);
    }
    return list;
}

/* Gives the data away. */
static PyObject *beside_objects(struct fetched *fetched)
{
    PyObject *list = PyList_New(0);
    for (int n = 0; n < fetched->beside_count; n++) {
        PyObject *source = address_object(&fetched->sources[n]);
        PyObject *pair = list && source ? PyTuple_Pack(2, fetched->beside[n], source) : NULL;
        if (!pair || PyList_Append(list, pair) < 0)
            Py_CLEAR(list);
        Py_XDECREF(pair);
        Py_XDECREF(source);
        Py_DECREF(fetched->beside[n]);
    }
    return list;
}

static double dbfs(double power, size_t samples)
{
    if (!samples || power <= 0)
        return SILENCE_DBFS;
    return fmax(10 * log10(power / (double)samples / (FULL_SCALE * FULL_SCALE)), SILENCE_DBFS);
}

static double level_of(const struct fetched *fetched)
{
    return dbfs(fetched->power, fetched->samples);
}

/* The level of each tick of more than one; NULL where nobody asks, or memory is short. */
static PyObject *levels_of(const struct fetched *fetched)
{
    size_t count = fetched->samples / TICK_SAMPLES;
    if (!fetched->heard || count < 2 || count > MOST_LEVELS || fetched->samples % TICK_SAMPLES ||
        level_of(fetched) < QUIETEST_DBFS)
        return NULL;
    const int16_t *samples = (const int16_t *)PyBytes_AsString(fetched->heard);
    PyObject *levels = PyTuple_New((Py_ssize_t)count);
    for (size_t n = 0; levels && n < count; n++) {
        double power = power_of(samples + n * TICK_SAMPLES, TICK_SAMPLES);
        PyObject *level = PyFloat_FromDouble(dbfs(power, TICK_SAMPLES));
        if (level)
            PyTuple_SetItem(levels, (Py_ssize_t)n, level);
        else
            Py_CLEAR(levels);
    }
    if (!levels)
        PyErr_Clear(); /* who wants them can tell them from the samples */
    return levels;
}

static PyObject *moved_object(const struct fetched *fetched)
{
    if (!fetched->moved)
        return Py_NewRef(Py_None);
    return address_object(&fetched->remote);
}

static PyObject *or_none(PyObject *object)
{
    return object ? object : Py_NewRef(Py_None);
}

/* (at, samples) of each, or None. */
static PyObject *late_objects(const struct fetched *fetched)
{
    if (!fetched->late_count)
        return Py_NewRef(Py_None);
    PyObject *list = PyList_New(fetched->late_count);
    for (int n = 0; list && n < fetched->late_count; n++) {
        const struct late *late = &fetched->lates[n];
        PyObject *fields = Py_BuildValue(
            "dN", late->at, bytes_of(late->samples, late->size * sizeof *late->samples));
        if (!fields) {
            Py_DECREF(list);
            return NULL;
        }
        PyList_SetItem(list, n, fields);
    }
    return list;
}

/* What Python decodes, in order, or None; gives the data away. */
static PyObject *opaque_objects(struct fetched *fetched)
{
    struct opaque_head head;
    if (!fetched->opaque)
        return Py_NewRef(Py_None);
    const uint8_t *data = (const uint8_t *)PyBytes_AsString(fetched->opaque);
    size_t left = (size_t)PyBytes_Size(fetched->opaque), size;
    PyObject *list = PyList_New(0);
    for (; list && (size = opaque_read(data, left, &head)); data += size, left -= size) {
        PyObject *fields = Py_BuildValue(
            "ikdOkN", head.payload_type, (unsigned long)head.timestamp, head.at,
            head.follows ? Py_True : Py_False, (unsigned long)head.behind,
            bytes_of(data + sizeof head, head.size));
        if (!fields || PyList_Append(list, fields) < 0)
            Py_CLEAR(list);
        Py_XDECREF(fields);
    }
    Py_DECREF(fetched->opaque);
    return list;
}

/* What most batches have none of. */
static PyObject *rest_object(struct fetched *fetched)
{
    if (!fetched->said && !fetched->event_count && !fetched->beside_count && !fetched->late_count &&
        !fetched->moved && !fetched->opaque)
        return Py_NewRef(Py_None);
    return Py_BuildValue("NdNNNNN", or_none(fetched->said), fetched->said_at, event_objects(fetched),
                         moved_object(fetched), beside_objects(fetched), late_objects(fetched),
                         opaque_objects(fetched));
}

/* By hand, for Py_BuildValue reads its format anew fifty times a second and stream. */
static PyObject *row_object(PyObject *owner, struct fetched *fetched)
{
    PyObject *const items[] = {
        Py_NewRef(owner),
        PyFloat_FromDouble(fetched->at),
        PyFloat_FromDouble(fetched->seconds),
        or_none(fetched->heard),
        PyFloat_FromDouble(fetched->heard_at),
        PyFloat_FromDouble(level_of(fetched)),
        PyBool_FromLong(fetched->due),
        rest_object(fetched),
    };
    enum { COUNT = sizeof items / sizeof *items };
    PyObject *row = PyTuple_New(COUNT);
    for (Py_ssize_t n = 0; n < COUNT; n++) {
        if (row && items[n])
            PyTuple_SetItem(row, n, items[n]);
        else
            Py_XDECREF(items[n]);
        if (!items[n])
            Py_CLEAR(row);
    }
    return row;
}

static PyObject *simple_object(const struct shape *shape, PyObject *owner,
                               const struct fetched *fetched)
{
    struct simple simple = {.at = fetched->at, .seconds = fetched->seconds,
                            .heard_at = fetched->heard_at, .level = level_of(fetched),
                            .heard = fetched->heard, .levels = levels_of(fetched)};
    PyObject *batch = shape_batch(shape, &simple);
    PyObject *pair = batch ? PyTuple_Pack(2, owner, batch) : NULL;
    Py_XDECREF(batch);
    return pair;
}

static int add(PyObject *list, PyObject *item)
{
    int result = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return result;
}

int stream_object_gather(StreamObject *self, const struct shape *shape, PyObject *batches,
                         PyObject *rows)
{
    struct fetched fetched;
    PyObject *owner = self->owner;
    if (!owner)
        return 0;
    pthread_mutex_lock(&self->stream->lock);
    fetch(self->stream, &fetched);
    pthread_mutex_unlock(&self->stream->lock);
    pieces_free(fetched.spent);
    Py_INCREF(owner); /* the collector may run meanwhile, and close us */
    int result = fetched.attend ? add(rows, row_object(owner, &fetched))
                                : add(batches, simple_object(shape, owner, &fetched));
    Py_DECREF(owner);
    return result;
}
