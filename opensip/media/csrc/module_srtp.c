/* A context of SRTP and one of SRTCP as Python types. */
#include "module.h"
#include "rtp.h"
#include <string.h>

#include "srtp.h"

typedef struct {
    PyObject_HEAD
    struct srtp *srtp;
} SrtpObject;

static const char *const WHY[] = {
    [SRTP_MALFORMED] = "malformed", [SRTP_REPLAYED] = "replayed", [SRTP_FORGED] = "forged"};

static PyObject *create(PyTypeObject *type, PyObject *args,
                        struct srtp *(*open)(const char *, const uint8_t *, size_t))
{
    const char *suite;
    Py_buffer master;
    if (!PyArg_ParseTuple(args, "sy*", &suite, &master))
        return NULL;
    struct srtp *srtp = open(suite, master.buf, (size_t)master.len);
    PyBuffer_Release(&master);
    if (!srtp)
        return PyErr_Format(PyExc_ValueError, "no suite %s with a key of that length", suite);
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    SrtpObject *self = (SrtpObject *)allocate(type, 0);
    if (self)
        self->srtp = srtp;
    else
        srtp_close(srtp);
    return (PyObject *)self;
}

static PyObject *srtp_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    return create(type, args, srtp_open);
}

static PyObject *srtcp_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    return create(type, args, srtcp_open);
}

static void srtp_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    srtp_close(((SrtpObject *)self)->srtp);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

static PyObject *run(SrtpObject *self, PyObject *args,
                     enum srtp_result (*operation)(struct srtp *, uint8_t *, size_t *))
{
    uint8_t packet[RTP_LARGEST + SRTCP_LARGEST_TRAILER];
    Py_buffer data;
    if (!PyArg_ParseTuple(args, "y*", &data))
        return NULL;
    size_t size = (size_t)data.len;
    enum srtp_result result = SRTP_MALFORMED;
    if (size <= RTP_LARGEST) {
        memcpy(packet, data.buf, size);
        result = operation(self->srtp, packet, &size);
    }
    PyBuffer_Release(&data);
    if (result == SRTP_GOOD)
        return PyBytes_FromStringAndSize((const char *)packet, (Py_ssize_t)size);
    PyErr_SetString(PyExc_ValueError, WHY[result]);
    return NULL;
}

static PyObject *protect(SrtpObject *self, PyObject *args)
{
    return run(self, args, srtp_protect);
}

static PyObject *unprotect(SrtpObject *self, PyObject *args)
{
    return run(self, args, srtp_unprotect);
}

static PyObject *protect_rtcp(SrtpObject *self, PyObject *args)
{
    return run(self, args, srtcp_protect);
}

static PyObject *unprotect_rtcp(SrtpObject *self, PyObject *args)
{
    return run(self, args, srtcp_unprotect);
}

static PyMethodDef methods[] = {
    {"protect", (PyCFunction)protect, METH_VARARGS, "Encrypt a packet we send."},
    {"unprotect", (PyCFunction)unprotect, METH_VARARGS, "Check and decrypt one we received."},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef control_methods[] = {
    {"protect_rtcp", (PyCFunction)protect_rtcp, METH_VARARGS, "Encrypt a report we send."},
    {"unprotect_rtcp", (PyCFunction)unprotect_rtcp, METH_VARARGS,
     "Check and decrypt one we received."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, srtp_new},
    {Py_tp_dealloc, srtp_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Slot control_slots[] = {
    {Py_tp_new, srtcp_new},
    {Py_tp_dealloc, srtp_dealloc},
    {Py_tp_methods, control_methods},
    {0, NULL},
};

static PyType_Spec specification = {
    "opensip.media._engine.Srtp", sizeof(SrtpObject), 0, Py_TPFLAGS_DEFAULT, slots};

static PyType_Spec control_specification = {
    "opensip.media._engine.Srtcp", sizeof(SrtpObject), 0, Py_TPFLAGS_DEFAULT, control_slots};

int module_add_srtp(PyObject *module)
{
    return module_add_type(module, "Srtp", &specification) &&
                   module_add_type(module, "Srtcp", &control_specification)
               ? 0
               : -1;
}
