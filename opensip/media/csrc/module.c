/* opensip.media._engine: the native media engine as Python sees it. */
#include "module.h"

#include "g711.h"

PyTypeObject *module_add_type(PyObject *module, const char *name, PyType_Spec *spec)
{
    PyObject *type = PyType_FromSpec(spec);
    if (!type)
        return NULL;
    int added = PyModule_AddObjectRef(module, name, type);
    Py_DECREF(type);
    return added < 0 ? NULL : (PyTypeObject *)type;
}

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "opensip.media._engine",
    .m_doc = "The native media engine; see opensip/media/_engine.pyi.",
    .m_size = -1,
};

PyMODINIT_FUNC PyInit__engine(void)
{
    g711_prepare();
    PyObject *module = PyModule_Create(&definition);
    if (!module)
        return NULL;
    if (module_add_packets(module) < 0 || module_add_srtp(module) < 0 ||
        module_add_playback(module) < 0 || module_add_stream(module) < 0 ||
        module_add_engine(module) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
