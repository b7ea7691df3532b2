/* Two streams joined, as Python does it. */
#include "module_stream.h"

/* Joins a stream to another, or to none, and lets go of what it was joined by. */
static void join(PyObject *self, struct joint joint)
{
    struct stream *stream = stream_object_lock(self);
    stream_join(stream, &joint);
    stream_object_unlock(stream);
    joint_release(&joint);
}

/* A stream as what another is joined to, which keeps it. */
static struct stream *partner_of(PyObject *stream)
{
    return stream_retain(((StreamObject *)stream)->stream);
}

/* What Python has been told of a stream's keys: its last press, if there was one. */
struct told {
    int any, ended;
    unsigned timestamp;
    unsigned char event;
    unsigned short segment;
};

/* Opens a line that sends on keys which were not told before. */
static struct line *open_line(bool keys, const struct told *told)
{
    struct line *line = line_open(keys);
    struct press press = {.event = told->event, .ended = told->ended, .timestamp = told->timestamp,
                          .segment = told->segment};
    if (line && told->any)
        event_relay_know(&line->events, &press);
    return line;
}

PyObject *stream_objects_connect(PyObject *engine, PyObject *args)
{
    PyObject *one, *other;
    int there, back;
    struct told of[2];
    if (!PyArg_ParseTuple(args, "OOpp(pIBpH)(pIBpH)", &one, &other, &there, &back, &of[0].any,
                          &of[0].timestamp, &of[0].event, &of[0].ended, &of[0].segment, &of[1].any,
                          &of[1].timestamp, &of[1].event, &of[1].ended, &of[1].segment))
        return NULL;
    if (!is_stream_object(one) || !is_stream_object(other) || one == other) {
        PyErr_SetString(PyExc_TypeError, "two streams are wanted");
        return NULL;
    }
    struct line *to = open_line(there, &of[0]), *from = open_line(back, &of[1]);
    if (!to || !from) {
        for (int n = 0; n < 2; n++) { /* both owners */
            line_release(to);
            line_release(from);
        }
        return PyErr_NoMemory();
    }
    join(one, (struct joint){to, from, partner_of(other)});
    join(other, (struct joint){from, to, partner_of(one)});
    return Py_NewRef(Py_None);
}

void stream_object_part(PyObject *stream)
{
    join(stream, (struct joint){0});
}

PyObject *stream_object_disconnect(PyObject *engine, PyObject *stream)
{
    if (!is_stream_object(stream)) {
        PyErr_SetString(PyExc_TypeError, "a stream is wanted");
        return NULL;
    }
    stream_object_part(stream);
    return Py_NewRef(Py_None);
}

PyObject *stream_object_playout(PyObject *self, PyObject *nothing)
{
    struct line_figures figures = {0};
    struct stream *stream = stream_object_lock(self);
    struct line *line = stream->in.line;
    if (line)
        figures = line_figures(line);
    stream_object_unlock(stream);
    if (!line)
        return Py_NewRef(Py_None);
    const struct jitter_counts *counts = &figures.counts;
    return Py_BuildValue("KKKKKKd", counts->received, counts->late, counts->duplicate,
                         counts->dropped, counts->played, counts->concealed, figures.depth);
}
