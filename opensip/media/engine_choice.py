"""Which media engine runs: the native one where it was built, else the Python one."""

import asyncio
import importlib
from typing import Literal, TypeAlias

from opensip.errors import ConfigError
from opensip.media.engine import Engine, Listener, deliver
from opensip.media.engine_python import PythonEngine

EngineWish: TypeAlias = Literal["auto", "native", "python"]
_REMEDY = "scripts/setup builds it where gcc, libssl-dev and python3-dev are"


def native_missing() -> str | None:
    """Tell why the native engine cannot run here; None when it can."""
    try:
        importlib.import_module("opensip.media._engine")
    except ImportError as error:
        return str(error)
    return None


def engine_choice(wish: EngineWish) -> tuple[str, str]:
    """Tell the engine's name and why it is that one. Raises ConfigError for what is not there."""
    missing = native_missing() if wish != "python" else None
    match wish:
        case "python":
            return "python", "as configured"
        case "native" if missing is not None:
            raise ConfigError(
                f"media.engine is native, but it was not built ({missing}): {_REMEDY}"
            )
        case "auto" if missing is not None:
            return "python", f"the native one was not built: {_REMEDY}"
        case "native":
            return "native", "as configured"
        case _:
            return "native", "built"


def open_engine(
    wish: EngineWish, loop: asyncio.AbstractEventLoop, *, listener: Listener = deliver
) -> Engine:
    """Make the engine that is wished for. Raises ConfigError."""
    if engine_choice(wish)[0] == "python":
        return PythonEngine(loop, listener=listener)
    from opensip.media.engine_native import NativeEngine  # noqa: PLC0415 - only where it was built

    return NativeEngine(loop, listener=listener)
