"""What values must be beyond their types, as the schema's annotations say it.

A check takes a value and raises ValueError, whose text names the value and the remedy.
"""

import re
from collections.abc import Collection, Sized
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated

from opensip.carriers.number import calling_code
from opensip.settings.table import nearest

_WEEK = 7 * 86400.0  # seconds: no time of a call is longer, and none is endless by accident
_MILLION = 1_000_000

_HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(\.(?!-)[A-Za-z0-9-]{1,63})*\.?")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # a header's name, RFC 3261 section 25.1
_PRINTABLE = re.compile(r"[ -~]+")


@dataclass(frozen=True, slots=True)
class Within:
    """A number from `low` to `high`; neither an infinite one nor "not a number" is."""

    low: float
    high: float
    unit: str = ""

    def __call__(self, value: float) -> None:
        """Check a number."""
        if not self.low <= value <= self.high:
            raise ValueError(f"{value} is not from {self.low:.10g} to {self.high:.10g}{self.unit}")


@dataclass(frozen=True, slots=True)
class Known:
    """One of the names in a table; `what` says what they name."""

    names: Collection[str]
    what: str

    def __call__(self, value: str) -> None:
        """Check a name."""
        if value not in self.names:
            raise ValueError(f"no {self.what} {value!r}{nearest(value, self.names)}")


@dataclass(frozen=True, slots=True)
class Hexadecimal:
    """As many hexadecimal digits as a hash has."""

    digits: int

    def __call__(self, value: str) -> None:
        """Check a hash. It is not repeated: who mistook it may have written a password."""
        if not re.fullmatch(rf"[0-9A-Fa-f]{{{self.digits}}}", value):
            raise ValueError(
                f"no hash of {self.digits} hexadecimal digits: opensip hash-password prints it"
            )


def our_address(value: str) -> None:
    """Check an IP address of ours."""
    try:
        ours = ip_address(value)
    except ValueError:
        raise ValueError(
            f"{value!r} is no IP address: write one of this machine, or 0.0.0.0 for all"
        ) from None
    if ours.is_multicast:
        raise ValueError(f"{value} is of a group: write one of this machine, or 0.0.0.0 for all")


def address_in_sdp(value: str) -> None:
    """Check an IP address that stands in SDP; "" is none."""
    if value:
        try:
            shown = ip_address(value)
        except ValueError:
            raise ValueError(
                f"{value!r} is no IP address such as 203.0.113.5, under which others reach us"
            ) from None
        if shown.is_unspecified or shown.is_multicast:  # 0.0.0.0 would hold every peer
            raise ValueError(f"nobody reaches us at {value}: write an address such as 203.0.113.5")


def host_in_via(value: str) -> None:
    """Check an IP address or host name that stands in Via and Contact; "" is none."""
    if value and not _HOST.fullmatch(value):
        try:
            ip_address(value)
        except ValueError:
            raise ValueError(
                f"{value!r} is neither an IP address nor a host name such as sip.example.com"
            ) from None


def country_code(value: str) -> None:
    """Check a country that the numbering plans know."""
    if not calling_code(value):
        meant = value.upper()
        hint = f"; did you mean {meant!r}?" if calling_code(meant) else ', such as "US" or "DE"'
        raise ValueError(f"{value!r} is no country code of ISO 3166{hint}")


def header_text(value: str) -> None:
    """Check what stands in a header as it is."""
    if not _PRINTABLE.fullmatch(value):
        raise ValueError(
            f"{value!r} cannot stand in a header: printable ASCII on one line, not empty"
        )


def quotable(value: str) -> None:
    """Check what stands in quotes in a header, and in hashes."""
    if not _PRINTABLE.fullmatch(value) or set('"\\') & set(value):
        raise ValueError(
            f"{value!r} cannot stand in quotes: printable ASCII without quotes and backslashes, "
            "not empty"
        )


def header_name(value: str) -> None:
    """Check the name of a header."""
    if not _TOKEN.fullmatch(value):
        raise ValueError(f"{value!r} is no name of a header, such as X-Account-Id")


def not_empty(value: Sized) -> None:
    """Check that something is named at all."""
    if not value:
        raise ValueError("is empty: name one at least, or leave the key out")


Port = Annotated[int, Within(1, 65535)]
ListeningPort = Annotated[int, Within(0, 65535)]  # 0: any that is free
Count = Annotated[int, Within(0, _MILLION)]
CountFromOne = Annotated[int, Within(1, _MILLION)]
Rate = Annotated[float, Within(0.1, _MILLION)]
Seconds = Annotated[float, Within(0.0, _WEEK, " seconds")]
Patience = Annotated[float, Within(0.1, _WEEK, " seconds")]  # none at all would end everything
SecondsFromOne = Annotated[float, Within(1.0, _WEEK, " seconds")]
