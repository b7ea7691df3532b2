#include "module_shape.h"

enum { BATCH_AT, BATCH_SECONDS, BATCH_HEARD, BATCH_LEAST };
enum { FRAME_AT, FRAME_SAMPLES, FRAME_RATE, FRAME_LEVEL, FRAME_LEVELS, FRAME_SIZE };
enum { MOST_FIELDS = 16 };

bool shape_read(struct shape *shape, PyObject *parts)
{
    PyObject *batch, *frame, *array, *kind;
    if (!PyArg_ParseTuple(parts, "OOOO", &batch, &frame, &array, &kind))
        return false;
    if (!PyTuple_Check(batch) || !PyTuple_Check(frame) || PyTuple_Size(batch) < BATCH_LEAST ||
        PyTuple_Size(batch) > MOST_FIELDS || PyTuple_Size(frame) != FRAME_SIZE) {
        PyErr_SetString(PyExc_TypeError, "a batch and a frame are wanted as examples");
        return false;
    }
    *shape = (struct shape){Py_NewRef(batch), Py_NewRef(frame), Py_NewRef(array), Py_NewRef(kind)};
    return true;
}

void shape_clear(struct shape *shape)
{
    Py_CLEAR(shape->batch);
    Py_CLEAR(shape->frame);
    Py_CLEAR(shape->array);
    Py_CLEAR(shape->kind);
}

/* Makes a tuple like an example, with the fields that are given, and gives these away. */
static PyObject *make_like(PyObject *example, PyObject *fields[MOST_FIELDS], bool good)
{
    Py_ssize_t size = PyTuple_Size(example);
    PyObject *plain = good ? PyTuple_New(size) : NULL, *made = NULL;
    for (Py_ssize_t n = 0; n < size; n++) {
        if (plain)
            PyTuple_SetItem(plain, n, fields[n] ? fields[n] : Py_NewRef(PyTuple_GetItem(example, n)));
        else
            Py_XDECREF(fields[n]);
    }
    PyObject *arguments = plain ? PyTuple_Pack(1, plain) : NULL;
    newfunc make = (newfunc)PyType_GetSlot(&PyTuple_Type, Py_tp_new);
    if (arguments)
        made = make(Py_TYPE(example), arguments, NULL);
    Py_XDECREF(arguments);
    Py_XDECREF(plain);
    return made;
}

static PyObject *make_frame(const struct shape *shape, const struct simple *simple)
{
    PyObject *fields[MOST_FIELDS] = {
        [FRAME_AT] = PyFloat_FromDouble(simple->heard_at),
        [FRAME_SAMPLES] =
            PyObject_CallFunctionObjArgs(shape->array, simple->heard, shape->kind, NULL),
        [FRAME_LEVEL] = PyFloat_FromDouble(simple->level),
        [FRAME_LEVELS] = simple->levels,
    };
    Py_DECREF(simple->heard);
    bool good = fields[FRAME_AT] && fields[FRAME_SAMPLES] && fields[FRAME_LEVEL];
    return make_like(shape->frame, fields, good);
}

PyObject *shape_batch(const struct shape *shape, const struct simple *simple)
{
    PyObject *fields[MOST_FIELDS] = {
        [BATCH_AT] = PyFloat_FromDouble(simple->at),
        [BATCH_SECONDS] = PyFloat_FromDouble(simple->seconds),
        [BATCH_HEARD] = simple->heard ? make_frame(shape, simple) : Py_NewRef(Py_None),
    };
    bool good = fields[BATCH_AT] && fields[BATCH_SECONDS] && fields[BATCH_HEARD];
    return make_like(shape->batch, fields, good);
}
