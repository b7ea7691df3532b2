"""What is wished of a stream of the native engine, which its core is told at once."""

from collections.abc import Callable
from typing import Protocol

from opensip.media import _engine


class _Owner(Protocol):
    core: _engine.Stream


class Wish:
    """An attribute that is on or off, at first off; `tell` lets the core know of each change."""

    def __init__(self, tell: Callable[[_engine.Stream, bool], None]) -> None:
        self._tell = tell
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"_wishes_{name}"

    def __get__(self, owner: _Owner, kind: type) -> bool:
        return bool(getattr(owner, self._name, False))

    def __set__(self, owner: _Owner, wanted: bool) -> None:
        setattr(owner, self._name, wanted)
        self._tell(owner.core, wanted)
