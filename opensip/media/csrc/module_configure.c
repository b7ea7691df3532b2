/* What offer and answer settled, read from Python and taken over at once. */
#include <stdlib.h>
#include <string.h>

#include "module_stream.h"

/* Opens the context of one direction: None keeps the old one, () is plain RTP. */
static bool read_key(PyObject *key, bool *is_new, struct srtp **srtp)
{
    const char *suite;
    PyObject *master;
    *is_new = key != Py_None;
    if (!*is_new || PyTuple_Size(key) == 0)
        return true;
    if (!PyArg_ParseTuple(key, "sS", &suite, &master))
        return false;
    *srtp = srtp_open(suite, (const uint8_t *)PyBytes_AsString(master), (size_t)PyBytes_Size(master));
    if (!*srtp)
        PyErr_Format(PyExc_ValueError, "no suite %s with a key of that length", suite);
    return *srtp != NULL;
}

/* Asks for memory where that is wanted. */
static bool make_room(bool wanted, size_t size, void *room)
{
    void *made = wanted ? calloc(1, size) : NULL;
    memcpy(room, &made, sizeof made);
    if (wanted && !made)
        PyErr_NoMemory();
    return made || !wanted;
}

/* What comes: the encoding of each payload type, and of what is sound its clock. */
static bool read_formats(PyObject *encodings, PyObject *kilohertz, struct stream_config *config)
{
    bool opaque = false;
    if (PyBytes_Size(encodings) != sizeof config->encodings ||
        PyBytes_Size(kilohertz) != sizeof config->kilohertz) {
        PyErr_SetString(PyExc_ValueError, "128 encodings and clocks are wanted");
        return false;
    }
    memcpy(config->encodings, PyBytes_AsString(encodings), sizeof config->encodings);
    memcpy(config->kilohertz, PyBytes_AsString(kilohertz), sizeof config->kilohertz);
    for (size_t n = 0; n < sizeof config->encodings; n++) {
        bool is_opaque = config->encodings[n] == ENCODING_OPAQUE;
        bool sounds = is_opaque || config->encodings[n] == ENCODING_PCMU ||
                      config->encodings[n] == ENCODING_PCMA;
        opaque |= is_opaque;
        if (sounds && !config->kilohertz[n]) {
            PyErr_Format(PyExc_ValueError, "payload type %zu has no clock", n);
            return false;
        }
    }
    return make_room(opaque, sizeof *config->opaque, &config->opaque);
}

/* What is sent: a law, or (samples, units, quiet payload) of what Python encodes. */
static bool read_coding(PyObject *coding, struct stream_config *config)
{
    struct coding *to = &config->coding;
    PyObject *quiet;
    if (PyUnicode_Check(coding)) {
        bool a_law = PyUnicode_CompareWithASCIIString(coding, "PCMA") == 0;
        *to = (struct coding){a_law ? &PCMA : &PCMU, RATE / 100, RATE / 100, NULL, 0};
        return true;
    }
    if (!PyArg_ParseTuple(coding, "IIS", &to->samples, &to->units, &quiet))
        return false;
    to->quiet_size = (size_t)PyBytes_Size(quiet);
    if (!to->samples || to->samples * 2 * LONGEST_PTIME > LONGEST_PACKET || !to->quiet_size ||
        to->quiet_size > LONGEST_PAYLOAD) {
        PyErr_SetString(PyExc_ValueError, "packets of at most 48 kHz, and what is quiet, are wanted");
        return false;
    }
    if (!make_room(true, to->quiet_size, &to->quiet))
        return false;
    memcpy(to->quiet, PyBytes_AsString(quiet), to->quiet_size);
    return true;
}

/* What takes the place of what is queued: None, or (since, [(samples, payload or None), ...]). */
static bool read_queue(PyObject *queue, struct stream_config *config)
{
    unsigned long long since;
    PyObject *list;
    struct piece **end = &config->pieces;
    if (queue == Py_None)
        return true;
    if (!PyArg_ParseTuple(queue, "KO", &since, &list))
        return false;
    config->requeue = true;
    config->since = since;
    for (Py_ssize_t n = 0; n < PyList_Size(list); n++) {
        PyObject *samples, *payload;
        if (!PyArg_ParseTuple(PyList_GetItem(list, n), "OO", &samples, &payload))
            return false;
        *end = piece_of(samples, payload == Py_None ? NULL : payload);
        if (!*end)
            return false;
        end = &(*end)->next;
    }
    return !PyErr_Occurred();
}

static bool read_config(PyObject *args, PyObject *keywords, struct stream_config *config)
{
    static char *names[] = {"host", "port", "new_latch", "symmetric", "sending", "coding",
                            "payload_type", "event_payload_type", "half_ticks", "encodings",
                            "kilohertz", "beside", "mux", "receive", "transmit", "queue",
                            "new_said", NULL};
    const char *host;
    int port, new_latch, symmetric, sending, beside, mux, new_said;
    PyObject *coding, *encodings, *kilohertz, *receive, *transmit, *queue;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "$zipppObbISSppOOOp", names, &host, &port,
                                     &new_latch, &symmetric, &sending, &coding,
                                     &config->payload_type, &config->event_payload_type,
                                     &config->half_ticks, &encodings, &kilohertz, &beside, &mux,
                                     &receive, &transmit, &queue, &new_said))
        return false;
    if (!config->half_ticks || config->half_ticks > 2 * LONGEST_PTIME) {
        PyErr_SetString(PyExc_ValueError, "one to six half ticks are wanted");
        return false;
    }
    config->open = host != NULL;
    if (host)
        address_read(&config->remote, host, port); /* a name is no address: then none is known */
    config->new_latch = new_latch;
    config->symmetric = symmetric;
    config->sending = sending;
    config->mux = mux;
    return make_room(beside, MOST_BESIDE * sizeof *config->beside, &config->beside) &&
           make_room(new_said, sizeof *config->said, &config->said) &&
           read_formats(encodings, kilohertz, config) && read_coding(coding, config) &&
           read_queue(queue, config) && read_key(receive, &config->new_receive, &config->receive) &&
           read_key(transmit, &config->new_transmit, &config->transmit);
}

/* What was said by the rate of before and has not been told yet: (samples, when), or None. */
static PyObject *said_object(const struct stream_config *config)
{
    struct ring *said = config->said;
    if (!said || !said->count)
        return Py_NewRef(Py_None);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(2 * said->count));
    if (!bytes)
        return NULL;
    ring_take(said, (int16_t *)PyBytes_AsString(bytes));
    return Py_BuildValue("Nd", bytes, config->said_at);
}

PyObject *stream_object_configure(PyObject *self, PyObject *args, PyObject *keywords)
{
    struct stream_config config = {0};
    PyObject *said = NULL;
    if (read_config(args, keywords, &config)) {
        struct stream *stream = stream_object_lock(self);
        stream_configure(stream, &config);
        stream_object_unlock(stream);
        said = said_object(&config);
    }
    free(config.beside);
    free(config.opaque);
    free(config.coding.quiet);
    free(config.said);
    pieces_free(config.pieces);
    srtp_close(config.receive);
    srtp_close(config.transmit);
    return said;
}
