"""Only what pyproject.toml cannot say: the native media engine, required where told so.

OPENSIP_NATIVE=require makes a failed build of the engine an error, OPENSIP_NATIVE=skip leaves it
out; else it is built where that can be done, and the Python engine runs where it cannot.
"""

import os
from glob import glob

from setuptools import Extension, setup

WISH = os.environ.get("OPENSIP_NATIVE", "")

ENGINE = Extension(
    "opensip.media._engine",
    sources=sorted(glob("opensip/media/csrc/*.c")),
    depends=sorted(glob("opensip/media/csrc/*.h")),
    libraries=["crypto", "m"],
    define_macros=[("Py_LIMITED_API", "0x030B0000"), ("_GNU_SOURCE", None)],
    extra_compile_args=["-std=gnu11", "-O3", "-Wall", "-Wextra", "-Wno-unused-parameter"],
    py_limited_api=True,
    optional=WISH != "require",
)

setup(
    ext_modules=[] if WISH == "skip" else [ENGINE],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
