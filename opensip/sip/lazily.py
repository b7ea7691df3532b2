"""Values that are read when first asked for."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class lazily(Generic[T]):
    """A property that is computed once and kept, of objects that are read in one thread.

    Until Python 3.12 `functools.cached_property` takes a lock for each value, which costs more
    than most of what a SIP message has to be asked for.
    """

    def __init__(self, read: Callable[[Any], T]) -> None:
        self.__doc__ = read.__doc__
        self._read = read
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> "lazily[T]": ...
    @overload
    def __get__(self, instance: object, owner: type | None = None) -> T: ...
    def __get__(self, instance: object | None, owner: type | None = None) -> "lazily[T] | T":
        if instance is None:
            return self
        # From now on the value itself is found: this is no data descriptor.
        value = instance.__dict__[self._name] = self._read(instance)
        return value
