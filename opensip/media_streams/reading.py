"""Reads JSON messages of strangers: every field by its place, each fault with the place's name."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from opensip.errors import RemoteProtocolError

LARGEST = 1_500_000  # characters: a minute of PCM at 8 kHz at once, in base64, and some more


class Fields:
    """The fields of one message; `where` names its place in what is raised."""

    def __init__(self, values: Mapping[str, Any], where: str = "") -> None:
        self._values = values
        self._where = where

    def text(self, name: str, default: str | None = None) -> str:
        """Give a text; a number is as good. Raises RemoteProtocolError without a default."""
        value = self._values.get(name)
        if value is None and default is not None:
            return default
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            raise self._wrong(name, "a text", value)
        return value

    def whole(self, name: str, default: int = 0) -> int:
        """Give a whole number from 0 on, which may be written as a text."""
        text = self.text(name, str(default))
        if not (text.isascii() and text.isdigit() and len(text) < 16):
            raise self._wrong(name, "a whole number from 0 on", self._values[name])
        return int(text)

    def octets(self, name: str) -> bytes:
        """Give what base64 stands for."""
        text = self.text(name)
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise self._wrong(name, "base64", text) from None

    def inner(self, name: str, *, wanted: bool = True) -> "Fields":
        """Give the object in a field; where it is not `wanted`, an empty one stands for none."""
        value = self._values.get(name)
        if value is None and not wanted:
            value = {}
        if not isinstance(value, dict):
            raise self._wrong(name, "an object", value)
        return Fields(value, f"{self._where}{name}.")

    def texts(self, name: str) -> dict[str, str]:
        """Give an object of texts; none is an empty one."""
        inner = self.inner(name, wanted=False)
        return {key: inner.text(key, "") for key in inner._values}

    def _wrong(self, name: str, wanted: str, value: object) -> RemoteProtocolError:
        place = f"{self._where}{name}"
        if value is None:
            return RemoteProtocolError(f"media stream: {place} is missing; it is {wanted}")
        return RemoteProtocolError(f"media stream: {place} is {shown(value)}, not {wanted}")


def fields_of(message: str) -> Fields:
    """Read a message. Raises RemoteProtocolError for what is no JSON object, or too long."""
    if len(message) > LARGEST:
        raise RemoteProtocolError(
            f"media stream: a message of {len(message)} characters; at most {LARGEST} are read"
        )
    try:
        values = json.loads(message)
    except (ValueError, RecursionError):
        raise RemoteProtocolError(f"media stream: no JSON: {shown(message)}") from None
    if not isinstance(values, dict):
        raise RemoteProtocolError(f"media stream: no JSON object: {shown(message)}")
    return Fields(values)


def shown(value: object) -> str:
    """Give the beginning of a value, as it can stand in a message."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def base64_of(payload: bytes) -> str:
    """Write octets as base64."""
    return base64.b64encode(payload).decode("ascii")


def written(message: Mapping[str, object]) -> str:
    """Write a message without blanks."""
    return json.dumps(message, separators=(",", ":"))
