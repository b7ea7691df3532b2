/* A stream as a Python object. */
#ifndef OPENSIP_MODULE_STREAM_H
#define OPENSIP_MODULE_STREAM_H

#include "module.h"
#include "module_shape.h"
#include "stream.h"

typedef struct {
    PyObject_HEAD
    struct stream *stream;
    PyObject *owner; /* what batches are told for; NULL once the stream is closed */
} StreamObject;

/* Makes the object of a stream on a socket; NULL with an exception set. */
StreamObject *stream_object_make(int socket, bool stamped, PyObject *owner);

/*
 * Takes what happened on a stream: adds (owner, batch) to `batches`, or where there is more for
 * Python to do its row to `rows`; see opensip/media/native_stream.py. -1 with an exception set.
 */
int stream_object_gather(StreamObject *self, const struct shape *shape, PyObject *batches,
                         PyObject *rows);

/* Takes what was negotiated; see opensip/media/_engine.pyi. */
PyObject *stream_object_configure(PyObject *self, PyObject *args, PyObject *keywords);

/* Makes a piece of samples and, unless NULL, their payload as bytes; NULL with an exception set. */
struct piece *piece_of(PyObject *samples, PyObject *payload);

/* Takes the lock of a stream; what is done until it is given back is short and runs no Python. */
struct stream *stream_object_lock(PyObject *self);
void stream_object_unlock(struct stream *stream);

/* Methods without arguments: figures of the stream. */
PyObject *stream_object_last_received(PyObject *self, PyObject *nothing);
PyObject *stream_object_remote(PyObject *self, PyObject *nothing);
PyObject *stream_object_sent(PyObject *self, PyObject *nothing);
PyObject *stream_object_received(PyObject *self, PyObject *nothing);
PyObject *stream_object_counts(PyObject *self, PyObject *nothing);

/* Engine.connect and Engine.disconnect, and what a stream tells of how it was played on. */
PyObject *stream_objects_connect(PyObject *engine, PyObject *args);
PyObject *stream_object_disconnect(PyObject *engine, PyObject *stream);
PyObject *stream_object_playout(PyObject *self, PyObject *nothing);

/* Lets a stream be joined to nobody. */
void stream_object_part(PyObject *stream);

/* Stream.expect_beside. */
PyObject *stream_object_expect_beside(PyObject *self, PyObject *sources);

/* Stream.prompt, .steady and .deafen: how what is heard is handed on. */
PyObject *stream_object_prompt(PyObject *self, PyObject *wanted);
PyObject *stream_object_steady(PyObject *self, PyObject *wanted);
PyObject *stream_object_deafen(PyObject *self, PyObject *wanted);

bool is_stream_object(PyObject *object);

/* Host and port, or None. */
PyObject *address_object(const struct address *address);

#endif
