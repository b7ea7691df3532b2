/* The engine as a Python type. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "module_stream.h"

typedef struct {
    PyObject_HEAD
    struct engine *engine; /* NULL once it is closed */
    bool threaded;
    struct shape shape; /* of batches */
    StreamObject **streams; /* those that are open */
    Py_ssize_t count, room;
} EngineObject;

static EngineObject *as_engine(PyObject *self)
{
    return (EngineObject *)self;
}

static PyObject *engine_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    int threaded;
    PyObject *parts;
    if (!PyArg_ParseTuple(args, "pO", &threaded, &parts))
        return NULL;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    EngineObject *self = as_engine(allocate(type, 0));
    if (!self)
        return NULL;
    self->threaded = threaded;
    if (shape_read(&self->shape, parts)) {
        self->engine = engine_open(threaded);
        if (self->engine)
            return (PyObject *)self;
        PyErr_SetFromErrno(PyExc_OSError);
    }
    Py_DECREF((PyObject *)self);
    return NULL;
}

static void let_go(EngineObject *self)
{
    while (self->count)
        Py_DECREF(self->streams[--self->count]);
    if (self->engine) {
        struct engine *engine = self->engine;
        self->engine = NULL;
        Py_BEGIN_ALLOW_THREADS /* the thread may be in a tick */
        engine_close(engine);
        Py_END_ALLOW_THREADS
    }
}

static void engine_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    let_go(as_engine(self));
    shape_clear(&as_engine(self)->shape);
    free(as_engine(self)->streams);
    release(self);
    Py_DECREF(type);
}

static PyObject *close_engine(PyObject *self, PyObject *nothing)
{
    let_go(as_engine(self));
    return Py_NewRef(Py_None);
}

static struct engine *opened(PyObject *self)
{
    if (!as_engine(self)->engine)
        PyErr_SetString(PyExc_ValueError, "the engine is closed");
    return as_engine(self)->engine;
}

static bool make_room(EngineObject *self)
{
    if (self->count < self->room)
        return true;
    Py_ssize_t room = self->room ? 2 * self->room : 64;
    StreamObject **more = realloc(self->streams, (size_t)room * sizeof *more);
    if (!more) {
        PyErr_NoMemory();
        return false;
    }
    self->streams = more;
    self->room = room;
    return true;
}

static PyObject *open_stream(PyObject *self, PyObject *args)
{
    EngineObject *engine = as_engine(self);
    int socket;
    PyObject *owner;
    if (!PyArg_ParseTuple(args, "iO", &socket, &owner) || !opened(self) || !make_room(engine))
        return NULL;
    StreamObject *stream = stream_object_make(socket, engine->threaded, owner);
    if (!stream)
        return NULL;
    int error = engine_add(engine->engine, stream->stream);
    if (error) {
        stream_release(stream->stream); /* the engine's hold on it */
        Py_DECREF(stream);
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    engine->streams[engine->count++] = (StreamObject *)Py_NewRef((PyObject *)stream);
    return (PyObject *)stream;
}

/* Lets go of the stream at a place that has been closed. */
static void drop(EngineObject *self, Py_ssize_t place)
{
    StreamObject *stream = self->streams[place];
    self->count--;
    memmove(self->streams + place, self->streams + place + 1,
            (size_t)(self->count - place) * sizeof *self->streams);
    Py_DECREF(stream);
}

/* Lets go of the streams that have been closed. */
static PyObject *sweep(PyObject *self, PyObject *nothing)
{
    EngineObject *engine = as_engine(self);
    if (!opened(self))
        return NULL;
    engine_sweep(engine->engine);
    for (Py_ssize_t n = engine->count; n-- > 0;)
        if (!engine->streams[n]->owner)
            drop(engine, n);
    return Py_NewRef(Py_None);
}

/* Streams further on, whose memory is on its way here while batches of those before are made. */
static void bring_following_near(const EngineObject *self, Py_ssize_t place)
{
    if (place + 4 < self->count)
        __builtin_prefetch(self->streams[place + 4]);
    if (place + 3 < self->count)
        __builtin_prefetch(self->streams[place + 3]->stream);
    if (place + 2 < self->count && atomic_load(&self->streams[place + 2]->stream->pending))
        stream_bring_near(self->streams[place + 2]->stream);
}

/* Making a batch may run the collector, and that foreign code: the array may change meanwhile. */
static PyObject *gather(PyObject *self, PyObject *nothing)
{
    EngineObject *engine = as_engine(self);
    if (!opened(self))
        return NULL;
    engine_clear(engine->engine);
    PyObject *batches = PyList_New(0), *rows = PyList_New(0);
    bool good = batches && rows;
    for (Py_ssize_t n = 0; good && n < engine->count; n++) {
        StreamObject *stream = engine->streams[n];
        bring_following_near(engine, n);
        if (!atomic_load(&stream->stream->pending) || !atomic_exchange(&stream->stream->pending, false))
            continue;
        Py_INCREF((PyObject *)stream);
        good = stream_object_gather(stream, &engine->shape, batches, rows) == 0;
        Py_DECREF((PyObject *)stream);
    }
    PyObject *both = good ? PyTuple_Pack(2, batches, rows) : NULL;
    Py_XDECREF(batches);
    Py_XDECREF(rows);
    return both;
}

static PyObject *run(PyObject *self, PyObject *now)
{
    double at = PyFloat_AsDouble(now);
    if ((at == -1.0 && PyErr_Occurred()) || !opened(self))
        return NULL;
    return PyFloat_FromDouble(engine_run(as_engine(self)->engine, at));
}

static PyObject *descriptor(PyObject *self, PyObject *nothing)
{
    struct engine *engine = opened(self);
    return engine ? PyLong_FromLong(engine_descriptor(engine)) : NULL;
}

static PyObject *ticks(PyObject *self, PyObject *nothing)
{
    struct engine *engine = opened(self);
    return engine ? Py_BuildValue("KK", engine_late(engine), engine_skipped(engine)) : NULL;
}

static PyMethodDef methods[] = {
    {"open", open_stream, METH_VARARGS, "Start a stream on a bound socket."},
    {"gather", gather, METH_NOARGS, "Take the batches of all streams that have one."},
    {"connect", stream_objects_connect, METH_VARARGS, "Let two streams play what the other hears."},
    {"disconnect", stream_object_disconnect, METH_O, "Take a stream off the other."},
    {"sweep", sweep, METH_NOARGS, "Let go of streams that were closed."},
    {"run", run, METH_O, "Run every tick that is due, where no thread does it."},
    {"fileno", descriptor, METH_NOARGS, "What is readable when there is something to gather."},
    {"ticks", ticks, METH_NOARGS, "How many ticks came late, and how many were left out."},
    {"close", close_engine, METH_NOARGS, "End the thread."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, engine_new},
    {Py_tp_dealloc, engine_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec specification = {
    "opensip.media._engine.Engine", sizeof(EngineObject), 0, Py_TPFLAGS_DEFAULT, slots};

int module_add_engine(PyObject *module)
{
    return module_add_type(module, "Engine", &specification) ? 0 : -1;
}
