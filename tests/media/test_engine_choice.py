import asyncio
import sys

import pytest

from opensip.errors import ConfigError
from opensip.media import engine_choice
from opensip.media.engine_choice import native_missing, open_engine
from opensip.media.engine_python import PythonEngine
from tests.fakes.engines import needs_native


@pytest.fixture
def not_built(monkeypatch):
    monkeypatch.setitem(sys.modules, "opensip.media._engine", None)


def opened(wish):
    async def main():
        engine = open_engine(wish, asyncio.get_running_loop())
        engine.close()
        return type(engine)

    return asyncio.run(main())


def test_the_python_engine_where_the_native_one_was_not_built(not_built):
    assert native_missing()
    name, why = engine_choice.engine_choice("auto")
    assert name == "python"
    assert "scripts/setup" in why
    assert opened("auto") is PythonEngine


def test_a_native_engine_that_is_wished_for_and_not_there(not_built):
    with pytest.raises(ConfigError, match=r"media\.engine is native, but it was not built"):
        opened("native")


def test_python_as_configured():
    assert engine_choice.engine_choice("python") == ("python", "as configured")
    assert opened("python") is PythonEngine


@needs_native
def test_the_native_one_where_it_is():
    assert engine_choice.engine_choice("auto") == ("native", "built")
    assert engine_choice.engine_choice("native") == ("native", "as configured")
    assert opened("auto").__name__ == opened("native").__name__ == "NativeEngine"
