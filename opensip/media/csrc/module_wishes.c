/* How Python wants what a stream hears to be handed on. */
#include <stddef.h>

#include "module_stream.h"

/* Sets the flag that lies `at` so many bytes of a stream. */
static PyObject *wish(PyObject *self, PyObject *wanted, size_t at)
{
    struct stream *stream = stream_object_lock(self);
    *(bool *)((char *)stream + at) = wanted == Py_True;
    stream_object_unlock(stream);
    return Py_NewRef(Py_None);
}

PyObject *stream_object_prompt(PyObject *self, PyObject *wanted)
{
    return wish(self, wanted, offsetof(struct stream, prompt));
}

PyObject *stream_object_steady(PyObject *self, PyObject *wanted)
{
    long steady = PyLong_AsLong(wanted);
    if (PyErr_Occurred())
        return NULL;
    struct stream *stream = stream_object_lock(self);
    stream->steady = (enum steady)steady;
    stream_object_unlock(stream);
    return Py_NewRef(Py_None);
}

PyObject *stream_object_deafen(PyObject *self, PyObject *wanted)
{
    return wish(self, wanted, offsetof(struct stream, in.deaf));
}
