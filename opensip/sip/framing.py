"""Cutting a stream or a datagram into messages: RFC 3261 section 18.3, RFC 5626 section 3.5.1."""

import re
from dataclasses import dataclass

from opensip.errors import RemoteProtocolError
from opensip.sip.grammar import parse_number
from opensip.sip.message import MAX_BODY, MAX_HEAD

MAX_DATAGRAM = 16384  # a real INVITE has up to 4 kB; larger ones are refused unread
_LENGTH = re.compile(
    rb"\r\n(?:content-length|l)[ \t]*:((?:[^\r\n]|\r\n[ \t])*)(?=\r\n)", re.IGNORECASE
)
# libre 4 (baresip) ends this one line with LF alone. Nothing else is let pass like that: where
# some read a line break and others none, headers can be smuggled.
_HALF_ENDED = re.compile(rb"(\r\nRAck: [0-9]+ [0-9]+ INVITE)\n(?=Content-)")


@dataclass(frozen=True, slots=True)
class Ping:
    """A keep-alive of the peer, to be answered with `PONG` (RFC 5626 section 3.5.1)."""


PONG = b"\r\n"


class UnreadableStream(RemoteProtocolError):
    """No message boundary can be found any more: answer, if `head` can be answered, and close."""

    def __init__(self, message: str, *, head: bytes, sip_status: int = 400, reason: str) -> None:
        super().__init__(message, sip_status=sip_status, reason=reason)
        self.head = head


class StreamFramer:
    """Cuts the octets of one TCP or TLS connection into messages.

    Feed `receive`, then take from `next_message` until it gives None. Once it raises, the
    connection is to be closed. Holds at most one message and what one `receive` brought.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0  # octets that are known to hold no end of headers
        self._length: int | None = None  # of the message at the front, once known

    @property
    def pending(self) -> bool:
        """True while part of a message is waiting for its rest; tells after `next_message`."""
        # Longer than half a ping it is a message, however many line ends its body begins with.
        return len(self._buffer) > 3 or bool(self._buffer.strip(b"\r\n"))

    def receive(self, data: bytes) -> None:
        """Take what came from the connection."""
        self._buffer += data

    def next_message(self) -> bytes | Ping | None:
        """Take the next whole message or keep-alive; raises UnreadableStream."""
        if self._length is None:
            if self._take_ping():
                return Ping()
            self._length = self._find_length()
        if self._length is None or len(self._buffer) < self._length:
            return None
        message = bytes(self._buffer[: self._length])
        del self._buffer[: self._length]
        self._length, self._searched = None, 0
        return message

    def _take_ping(self) -> bool:
        while self._buffer.startswith(b"\r\n"):
            if self._buffer.startswith(b"\r\n\r\n"):
                del self._buffer[:4]
                return True
            if len(self._buffer) == 2 or self._buffer == b"\r\n\r":
                return False  # half a ping, or the peer's pong: the next octets tell
            del self._buffer[:2]
        return False

    def _find_length(self) -> int | None:
        end = self._buffer.find(b"\r\n\r\n", self._searched)
        if end < 0:
            if len(self._buffer) > MAX_HEAD:
                raise self._unreadable("header block too large", b"", 513, "Message Too Large")
            self._searched = max(0, len(self._buffer) - 3)
            return None
        as_sent = bytes(self._buffer[: end + 4])
        head = _whole_lines(as_sent)
        if len(head) > len(as_sent):
            self._buffer[: len(as_sent)] = head
        if len(head) > MAX_HEAD:
            raise self._unreadable("header block too large", b"", 513, "Message Too Large")
        try:
            length = body_length(head)
        except RemoteProtocolError as error:
            raise self._unreadable(str(error), head, 400, "Bad Request") from None
        if length is None:
            raise self._unreadable("no Content-Length on a stream", head, 400, "Bad Request")
        if length > MAX_BODY:
            raise self._unreadable("body too large", head, 513, "Message Too Large")
        return len(head) + length

    def _unreadable(self, why: str, head: bytes, status: int, reason: str) -> UnreadableStream:
        return UnreadableStream(why, head=head, sip_status=status, reason=reason)


def _whole_lines(message: bytes) -> bytes:
    return _HALF_ENDED.sub(rb"\1\r\n", message) if message.startswith(b"PRACK ") else message


def body_length(head: bytes) -> int | None:
    """Read Content-Length of a header block that ends in an empty line; None if not told."""
    values = _LENGTH.findall(head)
    if not values:
        return None
    if len(values) > 1 and len({bytes(value).strip() for value in values}) > 1:
        raise RemoteProtocolError("several values of Content-Length")
    return parse_number(values[0].strip().decode("latin-1"), "Content-Length")


def frame_datagram(data: bytes) -> bytes | None:
    """Trim a datagram to its one message; None for keep-alives and what cannot be SIP.

    Raises RemoteProtocolError for a datagram beyond the limit, or whose length is not clear.
    """
    data = _whole_lines(data.lstrip(b"\r\n"))
    end = data.find(b"\r\n\r\n")
    if end < 0 or b"SIP/" not in data[:MAX_HEAD].partition(b"\r\n")[0].upper():
        return None
    if len(data) > MAX_DATAGRAM:
        raise RemoteProtocolError("datagram too large", sip_status=513, reason="Message Too Large")
    length = body_length(data[: end + 4])
    return data if length is None else data[: end + 4 + length]
