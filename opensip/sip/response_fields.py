"""Header fields that go with responses: Warning, RSeq and RAck."""

import re
from dataclasses import dataclass

from opensip.sip.fields import CSeq
from opensip.sip.grammar import parse_number, quote, refuse, skip_quoted, unquote

_WARNING = re.compile(r"([0-9]{3})[ \t]+([^\s\",]+)[ \t]+")
MAX_RSEQ = 2**32 - 1  # RFC 3262 section 7.1
MAX_FIRST_RSEQ = 2**31 - 1  # section 3


@dataclass(frozen=True, slots=True)
class Warning:
    """Why a request was not granted in full: RFC 3261 section 20.43. `text` is unquoted."""

    code: int
    agent: str
    text: str

    @classmethod
    def parse(cls, text: str) -> "Warning":
        """Read one Warning value."""
        value = text.strip()
        match = _WARNING.match(value)
        if match is None or not value.startswith('"', match.end()):
            raise refuse("Warning", text)
        if skip_quoted(value, match.end()) != len(value):
            raise refuse("Warning", text)
        return cls(int(match[1]), match[2], unquote(value[match.end() :]))

    def __str__(self) -> str:
        return f"{self.code:03} {self.agent} {quote(self.text)}"


@dataclass(frozen=True, slots=True)
class RSeq:
    """The place of a reliable provisional response: RFC 3262 section 7.1."""

    number: int

    @classmethod
    def parse(cls, text: str) -> "RSeq":
        """Read it; it begins at 1."""
        number = parse_number(text.strip(), "RSeq", limit=MAX_RSEQ)
        if number == 0:
            raise refuse("RSeq", text)
        return cls(number)

    def __str__(self) -> str:
        return str(self.number)


@dataclass(frozen=True, slots=True)
class RAck:
    """Which provisional response a PRACK acknowledges: RFC 3262 section 7.2."""

    rseq: int
    cseq: CSeq

    @classmethod
    def parse(cls, text: str) -> "RAck":
        """Read it."""
        rseq, _, cseq = text.strip().replace("\t", " ").partition(" ")
        return cls(RSeq.parse(rseq).number, CSeq.parse(cseq))

    def __str__(self) -> str:
        return f"{self.rseq} {self.cseq}"
