/* What the files of the Python module share. Limited API: one build serves every Python 3. */
#ifndef OPENSIP_MODULE_H
#define OPENSIP_MODULE_H

#include <Python.h>

/*
 * Formats with '#' are not used: what is compiled with the headers of Python 3.13, which has no
 * PY_SSIZE_T_CLEAN any more, would fail with them on an older one. Nor is Py_RETURN_NONE: from the
 * headers of 3.12 on it counts no reference, and a server of 3.11 that lent None some thousand
 * times would end.
 */
static inline PyObject *bytes_of(const void *data, size_t size)
{
    return PyBytes_FromStringAndSize(data, (Py_ssize_t)size);
}

/* Adds what a file has to the module; -1 with an exception set when that fails. */
int module_add_packets(PyObject *module);
int module_add_srtp(PyObject *module);
int module_add_playback(PyObject *module);
int module_add_stream(PyObject *module);
int module_add_engine(PyObject *module);

/* Makes a type and adds it to the module, which keeps it; NULL with an exception set. */
PyTypeObject *module_add_type(PyObject *module, const char *name, PyType_Spec *spec);

#endif
