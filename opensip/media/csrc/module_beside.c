/* What Python tells a stream of the sources of what comes beside RTP. */
#include <string.h>

#include "module_stream.h"

static bool read_sources(PyObject *list, struct strangers *to)
{
    Py_ssize_t count = PyList_Size(list);
    if (count < 0)
        return false;
    to->known_count = 0;
    for (Py_ssize_t n = 0; n < count && to->known_count < MOST_KNOWN; n++) {
        const char *host;
        int port;
        if (!PyArg_ParseTuple(PyList_GetItem(list, n), "si", &host, &port))
            return false;
        if (address_read(&to->known[to->known_count], host, port))
            to->known_count++; /* a name is no address: who has one is a stranger at first */
    }
    return true;
}

PyObject *stream_object_expect_beside(PyObject *self, PyObject *sources)
{
    struct strangers read = {0};
    PyObject *list = PySequence_List(sources);
    bool good = list && read_sources(list, &read);
    Py_XDECREF(list);
    if (!good)
        return NULL;
    struct stream *stream = stream_object_lock(self);
    struct strangers *strangers = &stream->in.strangers;
    memcpy(strangers->known, read.known, sizeof read.known);
    strangers->known_count = read.known_count;
    stream_object_unlock(stream);
    return Py_NewRef(Py_None);
}
