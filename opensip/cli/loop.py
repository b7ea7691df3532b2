"""The event loop of commands that carry media."""

import asyncio
from importlib import import_module


def fastest_loop() -> asyncio.AbstractEventLoop:
    """Make uvloop's loop where the extra is installed, else asyncio's own."""
    try:
        loop: asyncio.AbstractEventLoop = import_module("uvloop").new_event_loop()
    except ImportError:
        return asyncio.new_event_loop()
    return loop
