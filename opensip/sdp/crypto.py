"""SDES: SRTP keys in a=crypto, RFC 4568."""

import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from opensip.errors import RemoteProtocolError
from opensip.rtp.srtp import SUITES
from opensip.sdp.description import WORD

MAX_LIFETIME = 1 << 48  # packets under one key, RFC 3711 section 9.2

_CRYPTO = re.compile(rf"([0-9]{{1,9}}) +({WORD}) +([^ ]+)((?: +[^ ]+)*) *")
_LIFETIME = re.compile(r"2\^([0-9]{1,2})|([0-9]{1,15})")
_MKI = re.compile(r"[0-9]{1,20}:[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class CryptoAttribute:
    """One a=crypto line. `key` is master key and salt; `lifetime` in packets, if stated.

    `mki` is "value:length" or ""; `parameters` are the session parameters of section 6.3.
    """

    tag: int
    suite: str
    key: bytes
    lifetime: int | None = None
    mki: str = ""
    parameters: tuple[str, ...] = ()

    @classmethod
    def parse(cls, value: str) -> "CryptoAttribute":
        """Read the value of a=crypto. Raises RemoteProtocolError; never shows the key."""
        found = _CRYPTO.fullmatch(value)
        if not found:
            raise RemoteProtocolError("a=crypto is not of the form tag suite key")
        method, _, info = found[3].partition(":")
        if method != "inline" or ";" in info:  # several keys need an MKI to be told apart
            raise RemoteProtocolError(f"a=crypto:{found[1]} has not one inline key")
        key, *options = info.split("|")
        lifetime, mki = _parse_options(options)
        parameters = tuple(found[4].split())
        return cls(int(found[1]), found[2], _parse_key(key), lifetime, mki, parameters)

    def __str__(self) -> str:
        key = binascii.b2a_base64(self.key, newline=False).decode()
        lifetime = f"|{self.lifetime}" if self.lifetime else ""
        mki = f"|{self.mki}" if self.mki else ""
        return " ".join((f"{self.tag} {self.suite} inline:{key}{lifetime}{mki}", *self.parameters))

    def __repr__(self) -> str:
        return f"CryptoAttribute({self.tag} {self.suite})"  # keys stay out of logs

    def refusal(self, suites: Sequence[str]) -> str:
        """Say why we cannot use this line, or "" if we can."""
        if self.suite not in suites or self.suite not in SUITES:
            return f"{self.suite} unknown"
        if self.mki:
            return f"{self.suite} with MKI"
        for parameter in self.parameters:
            # a window size is only a hint (6.3.6); what begins with - may be ignored (6.3.7)
            if not parameter.startswith(("WSH=", "-")):
                return f"{self.suite} with {_printable(parameter)}"
        if len(self.key) != SUITES[self.suite].master_length:
            return f"{self.suite} with a key of {len(self.key)} bytes"
        return ""


def choose(
    values: Iterable[str], suites: Sequence[str]
) -> tuple[CryptoAttribute | None, tuple[str, ...]]:
    """Take the first line of an offer that we can use, and say why not those before it.

    The offerer lists them in its order of preference (section 5.1.1).
    """
    refusals: list[str] = []
    for value in values:
        try:
            crypto = CryptoAttribute.parse(value)
        except RemoteProtocolError:
            refusals.append("a malformed line")
            continue
        if not (refusal := crypto.refusal(suites)):
            return crypto, tuple(refusals)
        refusals.append(refusal)
    return None, tuple(refusals)


def _parse_key(text: str) -> bytes:
    try:  # some peers leave the padding off
        return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except (binascii.Error, ValueError) as error:  # ValueError: not ASCII
        raise RemoteProtocolError("a=crypto key is not base64") from error


def _parse_options(options: list[str]) -> tuple[int | None, str]:
    """Read what follows the key: [lifetime][, MKI:length] (section 6.1)."""
    mki = options.pop() if options and _MKI.fullmatch(options[-1]) else ""
    if not options:
        return None, mki
    found = _LIFETIME.fullmatch(options[0])
    lifetime = (1 << int(found[1]) if found[1] else int(found[2])) if found else 0
    if len(options) > 1 or not 0 < lifetime <= MAX_LIFETIME:
        raise RemoteProtocolError("a=crypto lifetime is malformed")
    return lifetime, mki


def _printable(text: str) -> str:
    return re.sub(r"[^!#-\[\]-~]", "?", text[:30])
