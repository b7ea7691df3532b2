"""What is wished of a stream of the native engine, which its core is told at once."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from opensip.media import _engine

W = TypeVar("W")


class _Owner(Protocol):
    core: _engine.Stream


class Wish(Generic[W]):
    """An attribute that is at first `off`; `tell` lets the core know of each change."""

    def __init__(self, tell: Callable[[_engine.Stream, W], None], off: W) -> None:
        self._tell, self._off = tell, off
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"_wishes_{name}"

    def __get__(self, owner: _Owner, kind: type) -> W:
        wished: W = getattr(owner, self._name, self._off)
        return wished

    def __set__(self, owner: _Owner, wanted: W) -> None:
        setattr(owner, self._name, wanted)
        self._tell(owner.core, wanted)
