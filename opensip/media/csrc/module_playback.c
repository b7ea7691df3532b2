/* Sound that is played on, as a Python type. */
#include <string.h>

#include "module.h"
#include "playback.h"
#include "rtp.h"

typedef struct {
    PyObject_HEAD
    struct playback playback;
} PlaybackObject;

static const char *const DECISIONS[] = {
    [DECISION_PLAY] = "play", [DECISION_CONCEAL] = "conceal", [DECISION_WAIT] = "wait"};

static PyObject *playback_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    const char *name;
    if (!PyArg_ParseTuple(args, "s", &name))
        return NULL;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    PlaybackObject *self = (PlaybackObject *)allocate(type, 0);
    if (self)
        playback_begin(&self->playback, strcmp(name, "PCMA") == 0 ? &PCMA : &PCMU);
    return (PyObject *)self;
}

static PyObject *put(PyObject *self, PyObject *args)
{
    int sequence;
    unsigned long timestamp;
    Py_buffer payload;
    double now;
    if (!PyArg_ParseTuple(args, "iky*d", &sequence, &timestamp, &payload, &now))
        return NULL;
    if (payload.len <= RTP_LARGEST)
        jitter_buffer_put(&((PlaybackObject *)self)->playback.buffer, (uint16_t)sequence,
                          (uint32_t)timestamp, payload.buf, (size_t)payload.len, now);
    PyBuffer_Release(&payload);
    return Py_NewRef(Py_None);
}

static PyObject *tick(PyObject *self, PyObject *now)
{
    int16_t samples[JITTER_FRAME];
    double at = PyFloat_AsDouble(now);
    if (at == -1.0 && PyErr_Occurred())
        return NULL;
    enum decision decision = playback_tick(&((PlaybackObject *)self)->playback, samples, at);
    return Py_BuildValue("sN", DECISIONS[decision], bytes_of(samples, sizeof samples));
}

static PyObject *counts(PyObject *self, PyObject *nothing)
{
    const struct jitter_buffer *buffer = &((PlaybackObject *)self)->playback.buffer;
    const struct jitter_counts *counts = &buffer->counts;
    return Py_BuildValue("KKKKKKd", counts->received, counts->late, counts->duplicate,
                         counts->dropped, counts->played, counts->concealed, buffer->depth);
}

static PyMethodDef methods[] = {
    {"put", put, METH_VARARGS, "Take a packet."},
    {"tick", tick, METH_O, "Make the next 20 ms, and tell what they are."},
    {"counts", counts, METH_NOARGS, "What became of packets and ticks, and the depth."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, playback_new},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec specification = {
    "opensip.media._engine.Playback", sizeof(PlaybackObject), 0, Py_TPFLAGS_DEFAULT, slots};

int module_add_playback(PyObject *module)
{
    return module_add_type(module, "Playback", &specification) ? 0 : -1;
}
