/* Packets and payloads as plain functions, so that each can be held against its Python twin. */
#include <string.h>

#include "g711.h"
#include "module.h"
#include "rtp.h"

static const struct g711 *law_of(const char *name)
{
    if (strcmp(name, "PCMU") == 0)
        return &PCMU;
    if (strcmp(name, "PCMA") == 0)
        return &PCMA;
    PyErr_Format(PyExc_ValueError, "no law %s: PCMU and PCMA are there", name);
    return NULL;
}

static PyObject *parse(PyObject *module, PyObject *args)
{
    struct rtp packet;
    Py_buffer data;
    if (!PyArg_ParseTuple(args, "y*", &data))
        return NULL;
    PyObject *fields = NULL;
    if (rtp_parse(&packet, data.buf, (size_t)data.len))
        fields = Py_BuildValue("iikkNO", packet.payload_type, packet.sequence,
                               (unsigned long)packet.timestamp, (unsigned long)packet.ssrc,
                               bytes_of(packet.payload, packet.size),
                               packet.marker ? Py_True : Py_False);
    PyBuffer_Release(&data);
    if (!fields && !PyErr_Occurred())
        return Py_NewRef(Py_None);
    return fields;
}

static PyObject *decode(PyObject *module, PyObject *args)
{
    const char *name;
    Py_buffer codes;
    if (!PyArg_ParseTuple(args, "sy*", &name, &codes))
        return NULL;
    const struct g711 *law = law_of(name);
    PyObject *samples = law ? PyBytes_FromStringAndSize(NULL, 2 * codes.len) : NULL;
    if (samples)
        g711_decode(law, codes.buf, (size_t)codes.len, (int16_t *)PyBytes_AsString(samples));
    PyBuffer_Release(&codes);
    return samples;
}

static PyObject *encode(PyObject *module, PyObject *args)
{
    const char *name;
    Py_buffer samples;
    if (!PyArg_ParseTuple(args, "sy*", &name, &samples))
        return NULL;
    const struct g711 *law = law_of(name);
    PyObject *codes = law ? PyBytes_FromStringAndSize(NULL, samples.len / 2) : NULL;
    if (codes)
        g711_encode(law, samples.buf, (size_t)samples.len / 2, (uint8_t *)PyBytes_AsString(codes));
    PyBuffer_Release(&samples);
    return codes;
}

static PyMethodDef functions[] = {
    {"parse", parse, METH_VARARGS, "Read an RTP packet; None when it is none."},
    {"decode", decode, METH_VARARGS, "Decode G.711 codes into 16-bit samples."},
    {"encode", encode, METH_VARARGS, "Encode 16-bit samples into G.711 codes."},
    {NULL, NULL, 0, NULL},
};

int module_add_packets(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}
