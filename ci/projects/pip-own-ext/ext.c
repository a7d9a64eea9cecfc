#include <Python.h>
static struct PyModuleDef def = {PyModuleDef_HEAD_INIT, "ext_corpus", 0, -1, 0};
PyMODINIT_FUNC PyInit_ext_corpus(void) { return PyModule_Create(&def); }
