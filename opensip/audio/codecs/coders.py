"""The way to FFmpeg's coders, taken when the first is wanted: most servers do without."""

from importlib import import_module
from typing import Any


def coders() -> Any:
    """Import what wraps PyAV; `find` has seen to it that it is there."""
    return import_module("opensip.audio.codecs.ffmpeg")
