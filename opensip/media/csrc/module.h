/* What the files of the Python module share. Limited API: one build serves every Python 3. */
#ifndef OPENSIP_MODULE_H
#define OPENSIP_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Adds what a file has to the module; -1 with an exception set when that fails. */
int module_add_packets(PyObject *module);
int module_add_srtp(PyObject *module);
int module_add_playback(PyObject *module);
int module_add_stream(PyObject *module);
int module_add_engine(PyObject *module);

/* Makes a type and adds it to the module, which keeps it; NULL with an exception set. */
PyTypeObject *module_add_type(PyObject *module, const char *name, PyType_Spec *spec);

#endif
