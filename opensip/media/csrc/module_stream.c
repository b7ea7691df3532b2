#include "module_stream.h"

#include <stdlib.h>
#include <string.h>

static PyTypeObject *type_of_streams;

static StreamObject *as_stream(PyObject *self)
{
    return (StreamObject *)self;
}

bool is_stream_object(PyObject *object)
{
    return Py_TYPE(object) == type_of_streams;
}

struct stream *stream_object_lock(PyObject *self)
{
    struct stream *stream = as_stream(self)->stream;
    pthread_mutex_lock(&stream->lock);
    return stream;
}

void stream_object_unlock(struct stream *stream)
{
    pthread_mutex_unlock(&stream->lock);
}

StreamObject *stream_object_make(int socket, bool stamped, PyObject *owner)
{
    allocfunc allocate = (allocfunc)PyType_GetSlot(type_of_streams, Py_tp_alloc);
    struct stream *stream = stream_open(socket, stamped);
    if (!stream)
        return (StreamObject *)PyErr_NoMemory();
    StreamObject *self = (StreamObject *)allocate(type_of_streams, 0);
    if (!self) {
        stream_release(stream);
        stream_release(stream);
        return NULL;
    }
    self->stream = stream;
    self->owner = Py_NewRef(owner);
    return self;
}

static void stream_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    stream_object_part(self); /* else two that are joined would keep each other */
    stream_release(as_stream(self)->stream);
    Py_XDECREF(as_stream(self)->owner);
    release(self);
    Py_DECREF(type);
}

static PyObject *begin(PyObject *self, PyObject *args)
{
    unsigned long ssrc, timestamp;
    int sequence;
    if (!PyArg_ParseTuple(args, "kki", &ssrc, &timestamp, &sequence))
        return NULL;
    struct stream *stream = stream_object_lock(self);
    stream->out.ssrc = (uint32_t)ssrc;
    stream->out.timestamp = (uint32_t)timestamp;
    stream->out.sequence = (uint16_t)sequence;
    stream_object_unlock(stream);
    return Py_NewRef(Py_None);
}

/* ---- what is said */

struct piece *piece_of(PyObject *samples, PyObject *payload)
{
    Py_buffer data;
    struct piece *piece = NULL;
    size_t octets = payload ? (size_t)PyBytes_Size(payload) : 0;
    if (PyErr_Occurred() || PyObject_GetBuffer(samples, &data, PyBUF_SIMPLE) < 0)
        return NULL;
    size_t size = (size_t)data.len / sizeof(int16_t);
    if (payload && (!octets || octets > LONGEST_PAYLOAD || size > LONGEST_PACKET)) {
        PyErr_Format(PyExc_ValueError, "a payload of %zu octets for %zu samples", octets, size);
    } else {
        const uint8_t *bytes = payload ? (const uint8_t *)PyBytes_AsString(payload) : NULL;
        piece = piece_make(data.buf, size, bytes, octets);
        if (!piece)
            PyErr_NoMemory();
    }
    PyBuffer_Release(&data);
    return piece;
}

static PyObject *queue_up(PyObject *self, struct piece *piece)
{
    if (!piece)
        return NULL;
    struct stream *stream = stream_object_lock(self);
    uint64_t position = queue_add(&stream->out.queue, piece);
    struct piece *spent = queue_take_spent(&stream->out.queue);
    stream_object_unlock(stream);
    pieces_free(spent);
    return PyLong_FromUnsignedLongLong(position);
}

/* Samples of another type, or that are spread in memory: numpy makes such as we read of them. */
static struct piece *piece_of_any(PyObject *samples)
{
    PyObject *plain = PyObject_CallMethod(samples, "astype", "ss", "int16", "C");
    struct piece *piece = plain ? piece_of(plain, NULL) : NULL;
    Py_XDECREF(plain);
    return piece;
}

static PyObject *write_samples(PyObject *self, PyObject *samples)
{
    Py_buffer data;
    struct piece *piece = NULL;
    if (PyObject_GetBuffer(samples, &data, PyBUF_FORMAT) < 0) {
        PyErr_Clear();
        return queue_up(self, piece_of_any(samples));
    }
    bool plain = data.format && strcmp(data.format, "h") == 0;
    if (plain && !(piece = piece_make(data.buf, (size_t)data.len / sizeof(int16_t), NULL, 0)))
        PyErr_NoMemory();
    PyBuffer_Release(&data);
    return queue_up(self, plain ? piece : piece_of_any(samples));
}

static PyObject *write_packet(PyObject *self, PyObject *args)
{
    PyObject *samples, *payload;
    if (!PyArg_ParseTuple(args, "OS", &samples, &payload))
        return NULL;
    return queue_up(self, piece_of(samples, payload));
}

/* What waits, and how much had been played by then. Bytes are made as in module_batch.c. */
static PyObject *unsent(PyObject *self, PyObject *nothing)
{
    struct stream *stream = stream_object_lock(self);
    const struct queue *queue = &stream->out.queue;
    uint64_t played = queue->played;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(2 * queue->queued));
    if (bytes)
        queue_copy(queue, (int16_t *)PyBytes_AsString(bytes));
    stream_object_unlock(stream);
    return bytes ? Py_BuildValue("KN", played, bytes) : NULL;
}

static PyObject *flush(PyObject *self, PyObject *nothing)
{
    uint64_t forgotten;
    struct stream *stream = stream_object_lock(self);
    struct piece *pieces = queue_clear(&stream->out.queue, &forgotten);
    stream_object_unlock(stream);
    pieces_free(pieces);
    return PyLong_FromUnsignedLongLong(forgotten);
}

static PyObject *pause_queue(PyObject *self, PyObject *paused)
{
    struct stream *stream = stream_object_lock(self);
    stream->out.queue.paused = paused == Py_True;
    stream_object_unlock(stream);
    return Py_NewRef(Py_None);
}

static PyObject *played(PyObject *self, PyObject *nothing)
{
    struct stream *stream = stream_object_lock(self);
    uint64_t played = stream->out.queue.played;
    stream_object_unlock(stream);
    return PyLong_FromUnsignedLongLong(played);
}

static PyObject *queued(PyObject *self, PyObject *nothing)
{
    struct stream *stream = stream_object_lock(self);
    uint64_t queued = stream->out.queue.queued;
    stream_object_unlock(stream);
    return PyLong_FromUnsignedLongLong(queued);
}

/* How many packets have gone without a voice since the last that had one. */
static PyObject *quiet(PyObject *self, PyObject *nothing)
{
    struct stream *stream = stream_object_lock(self);
    uint64_t count = stream->out.quiet;
    stream_object_unlock(stream);
    return PyLong_FromUnsignedLongLong(count);
}

static PyObject *tell_at(PyObject *self, PyObject *samples)
{
    long long count = PyLong_AsLongLong(samples);
    if (count == -1 && PyErr_Occurred())
        return NULL;
    struct stream *stream = stream_object_lock(self);
    stream->tell_at = count;
    stream_object_unlock(stream);
    return Py_NewRef(Py_None);
}

/* Python has heard a voice and hands it on: what follows is handed on each tick. */
static PyObject *come_near(PyObject *self, PyObject *nothing)
{
    struct stream *stream = stream_object_lock(self);
    stream->in.gate = HOLD_TICKS;
    stream->ticks = 0;
    stream_object_unlock(stream);
    return Py_NewRef(Py_None);
}

static PyObject *report_at(PyObject *self, PyObject *at)
{
    double time = PyFloat_AsDouble(at);
    if (time == -1.0 && PyErr_Occurred())
        return NULL;
    struct stream *stream = stream_object_lock(self);
    stream->report_at = time;
    stream_object_unlock(stream);
    return Py_NewRef(Py_None);
}

static PyObject *keep_said(PyObject *self, PyObject *wanted)
{
    struct ring *ring = wanted == Py_True ? calloc(1, sizeof *ring) : NULL;
    if (wanted == Py_True && !ring)
        return PyErr_NoMemory();
    struct stream *stream = stream_object_lock(self);
    struct ring *old = stream->out.said;
    stream->out.said = ring;
    stream_object_unlock(stream);
    free(old);
    return Py_NewRef(Py_None);
}

static PyObject *send_digit(PyObject *self, PyObject *packets)
{
    struct sign signs[SIGNS] = {0};
    Py_ssize_t count = PyList_Size(packets);
    if (count < 0 || count > SIGNS)
        return PyErr_Format(PyExc_ValueError, "a digit of %zd packets", count);
    for (Py_ssize_t n = 0; n < count; n++) {
        PyObject *payload;
        int marker;
        if (!PyArg_ParseTuple(PyList_GetItem(packets, n), "Sp", &payload, &marker))
            return NULL;
        signs[n].gap = PyBytes_Size(payload) != sizeof signs[n].payload;
        signs[n].marker = marker;
        signs[n].last = n == count - 1;
        if (!signs[n].gap)
            memcpy(signs[n].payload, PyBytes_AsString(payload), sizeof signs[n].payload);
    }
    struct stream *stream = stream_object_lock(self);
    bool added = sender_add_signs(&stream->out, signs, (unsigned)count);
    uint64_t over = stream->out.digits;
    stream_object_unlock(stream);
    if (!added)
        return PyErr_Format(PyExc_ValueError, "too many digits wait");
    return PyLong_FromUnsignedLongLong(over);
}

static PyObject *digits_over(PyObject *self, PyObject *nothing)
{
    struct stream *stream = stream_object_lock(self);
    uint64_t digits = stream->out.digits;
    stream_object_unlock(stream);
    return PyLong_FromUnsignedLongLong(digits);
}

static PyObject *close_stream(PyObject *self, PyObject *nothing)
{
    uint64_t forgotten;
    struct stream *stream = stream_object_lock(self); /* so that no tick is using the socket */
    atomic_store(&stream->closed, true);
    stream_let_all_in(stream); /* a socket that rests answers nobody, by ICMP neither */
    struct piece *pieces = queue_clear(&stream->out.queue, &forgotten);
    stream_object_unlock(stream);
    pieces_free(pieces);
    Py_CLEAR(as_stream(self)->owner);
    return Py_NewRef(Py_None);
}

static PyMethodDef methods[] = {
    {"begin", begin, METH_VARARGS, "Set SSRC, timestamp and sequence of the first packet."},
    {"configure", (PyCFunction)(void (*)(void))stream_object_configure,
     METH_VARARGS | METH_KEYWORDS, "Take what was negotiated."},
    {"expect_beside", stream_object_expect_beside, METH_O, "Learn where the peer is."},
    {"write", write_samples, METH_O, "Queue samples; gives where they start."},
    {"write_packet", write_packet, METH_VARARGS, "Queue samples as a payload; gives where they start."},
    {"unsent", unsent, METH_NOARGS, "Samples sent, and those that are queued."},
    {"flush", flush, METH_NOARGS, "Forget what is queued; gives how much that was."},
    {"pause", pause_queue, METH_O, "Send silence and keep the queue, or go on."},
    {"played", played, METH_NOARGS, "Samples sent."},
    {"queued", queued, METH_NOARGS, "Samples not yet sent."},
    {"quiet", quiet, METH_NOARGS, "Packets without a voice since the last that had one."},
    {"tell_at", tell_at, METH_O, "Make a batch due once no more samples than so many are queued."},
    {"keep_said", keep_said, METH_O, "Tell what was sent, from now on."},
    {"come_near", come_near, METH_NOARGS, "Make a batch due on each tick for half a second."},
    {"report_at", report_at, METH_O, "Set when a batch is a row, for a report is due."},
    {"prompt", stream_object_prompt, METH_O, "Make a batch due on every tick, or not any more."},
    {"steady", stream_object_steady, METH_O, "Let batches wait for more of what goes on: 1 of a voice, 2 of silence."},
    {"deafen", stream_object_deafen, METH_O, "Hand nothing on of what is heard, or again."},
    {"send_digit", send_digit, METH_O, "Queue the packets of a digit; gives digits_over()."},
    {"digits_over", digits_over, METH_NOARGS, "Digits that have been sent."},
    {"last_received", stream_object_last_received, METH_NOARGS, "When the last good packet came."},
    {"remote", stream_object_remote, METH_NOARGS, "Where packets go."},
    {"sent", stream_object_sent, METH_NOARGS, "Packets, octets, and the next timestamp."},
    {"received", stream_object_received, METH_NOARGS, "SSRC, packets, first and highest sequence, jitter."},
    {"counts", stream_object_counts, METH_NOARGS, "All counts by name."},
    {"playout", stream_object_playout, METH_NOARGS, "What became of what was played on, or None."},
    {"close", close_stream, METH_NOARGS, "Use the socket no more."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_dealloc, stream_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec specification = {
    "opensip.media._engine.Stream", sizeof(StreamObject), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

int module_add_stream(PyObject *module)
{
    type_of_streams = module_add_type(module, "Stream", &specification);
    return type_of_streams ? 0 : -1;
}
