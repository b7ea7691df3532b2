/* Two streams joined, as Python does it. */
#include "module_stream.h"

/* Gives a stream its lines, and lets go of those that it had. */
static void join(PyObject *self, struct line *to, struct line *from)
{
    struct stream *stream = stream_object_lock(self);
    stream_join(stream, &to, &from);
    stream_object_unlock(stream);
    line_release(to);
    line_release(from);
}

PyObject *stream_objects_connect(PyObject *engine, PyObject *args)
{
    PyObject *one, *other;
    int there, back;
    if (!PyArg_ParseTuple(args, "OOpp", &one, &other, &there, &back))
        return NULL;
    if (!is_stream_object(one) || !is_stream_object(other) || one == other) {
        PyErr_SetString(PyExc_TypeError, "two streams are wanted");
        return NULL;
    }
    struct line *to = line_open(there), *from = line_open(back);
    if (!to || !from) {
        for (int n = 0; n < 2; n++) { /* both owners */
            line_release(to);
            line_release(from);
        }
        return PyErr_NoMemory();
    }
    join(one, to, from);
    join(other, from, to);
    return Py_NewRef(Py_None);
}

PyObject *stream_object_disconnect(PyObject *engine, PyObject *stream)
{
    if (!is_stream_object(stream)) {
        PyErr_SetString(PyExc_TypeError, "a stream is wanted");
        return NULL;
    }
    join(stream, NULL, NULL);
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
