/* What reports and records ask of a stream. */
#include <string.h>

#include "module_stream.h"

PyObject *stream_object_last_received(PyObject *self, PyObject *nothing)
{
    struct stream *stream = stream_object_lock(self);
    bool any = stream->in.heard_any;
    double at = stream->in.last_received;
    stream_object_unlock(stream);
    if (!any)
        return Py_NewRef(Py_None);
    return PyFloat_FromDouble(at);
}

PyObject *stream_object_remote(PyObject *self, PyObject *nothing)
{
    struct stream *stream = stream_object_lock(self);
    struct address address = stream->in.latch.remote;
    stream_object_unlock(stream);
    return address_object(&address);
}

PyObject *stream_object_sent(PyObject *self, PyObject *nothing)
{
    struct stream *stream = stream_object_lock(self);
    uint64_t packets = stream->out.packets, octets = stream->out.octets;
    uint32_t timestamp = stream->out.timestamp;
    stream_object_unlock(stream);
    return Py_BuildValue("KKk", packets, octets, (unsigned long)timestamp);
}

PyObject *stream_object_received(PyObject *self, PyObject *nothing)
{
    struct stream *stream = stream_object_lock(self);
    struct arrivals arrivals = stream->in.arrivals;
    uint32_t ssrc = stream->in.ssrc;
    stream_object_unlock(stream);
    return Py_BuildValue("kLLLdI", (unsigned long)ssrc, (long long)arrivals.received,
                         (long long)arrivals.first, (long long)arrivals.highest, arrivals.jitter, arrivals.rate);
}

static int set_count(PyObject *counts, const char *name, uint64_t count)
{
    PyObject *number = PyLong_FromUnsignedLongLong(count);
    int result = number ? PyDict_SetItemString(counts, name, number) : -1;
    Py_XDECREF(number);
    return result;
}

PyObject *stream_object_counts(PyObject *self, PyObject *nothing)
{
    uint64_t dropped[DROP_REASONS];
    struct stream *stream = stream_object_lock(self);
    const struct reorder *order = &stream->in.reorder;
    const struct { const char *name; uint64_t count; bool always; } fixed[] = {
        {"sent", stream->out.packets, true},     {"unsent", stream->unsent, true},
        {"received", stream->in.packets, true},  {"lost", order->lost, true},
        {"late", order->late, true},             {"duplicate", order->duplicate, true},
        {"reordered", order->reordered, true},   {"refused", stream->refused, false},
        {"unread", stream->in.unread, false},
    };
    memcpy(dropped, stream->in.dropped, sizeof dropped);
    stream_object_unlock(stream);
    PyObject *dict = PyDict_New();
    if (!dict)
        return NULL;
    int failed = 0;
    for (size_t n = 0; n < sizeof fixed / sizeof *fixed; n++)
        if (fixed[n].always || fixed[n].count)
            failed |= set_count(dict, fixed[n].name, fixed[n].count);
    for (int n = 0; n < DROP_REASONS; n++) {
        char name[32] = "dropped_";
        strncat(name, REASONS[n], sizeof name - 9);
        if (dropped[n])
            failed |= set_count(dict, name, dropped[n]);
    }
    if (failed)
        Py_CLEAR(dict);
    return dict;
}
