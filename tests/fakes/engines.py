"""The media engines that promise the same, for tests that try each of them."""

from functools import partial

import pytest

from opensip.media.engine_choice import native_missing
from opensip.media.engine_python import PythonEngine


def _native_engine(loop=None, *, threaded=False, **options):
    """Make a native engine whose ticks the loop's timers run, so that time may be virtual."""
    from opensip.media.engine_native import NativeEngine

    return NativeEngine(loop, threaded=threaded, **options)


needs_native = pytest.mark.skipif(native_missing() is not None, reason="no native engine was built")
ENGINES = [
    pytest.param(PythonEngine, id="python"),
    pytest.param(_native_engine, id="native", marks=needs_native),
]
REAL_TIME_ENGINES = [
    pytest.param(PythonEngine, id="python"),
    pytest.param(partial(_native_engine, threaded=True), id="native", marks=needs_native),
]
each_engine = pytest.mark.parametrize("engine_type", ENGINES)
