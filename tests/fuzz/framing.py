"""A stream gives the same messages however it is cut, and ends in UnreadableStream or not at all.

Where a message ends is where the parser ends its body, so that nothing can hide between two
readings of Content-Length. The first octet says how many of the next ones are sizes of pieces.
"""

from collections.abc import Iterator
from itertools import cycle

from opensip.errors import RemoteProtocolError
from opensip.sip.framing import Ping, StreamFramer, UnreadableStream, frame_datagram
from opensip.sip.message import parse_message
from tests.fuzz.seeds import MESSAGES, REFER, RESPONSE
from tests.fuzz.target import MAX_INPUT, Fault, Target

Outcome = tuple[list[bytes | Ping], str | None]


def one_input(data: bytes) -> None:
    count = 1 + data[0] % 8 if data else 0
    sizes, stream = data[1:count], data[count:]
    whole = _frames([stream])
    assert _frames(_pieces(stream, sizes)) == whole
    for message in whole[0]:
        if isinstance(message, bytes):
            _check_body(message)
    _frame_datagram(stream)


def _pieces(stream: bytes, sizes: bytes) -> Iterator[bytes]:
    at, least = 0, 1 + len(stream) // 4096  # long streams in larger pieces, for the cost's sake
    for size in cycle(sizes or b"\x40"):
        if at >= len(stream):
            return
        yield stream[at : at + size + least]
        at += size + least


def _frames(pieces: Iterator[bytes] | list[bytes]) -> Outcome:
    framer, taken = StreamFramer(), list[bytes | Ping]()
    try:
        for piece in pieces:
            framer.receive(piece)
            while (message := framer.next_message()) is not None:
                taken.append(message)
            assert isinstance(framer.pending, bool)
    except UnreadableStream as error:
        return taken, str(error)
    return taken, None


def _check_body(message: bytes) -> None:
    try:
        parsed = parse_message(message)
    except RemoteProtocolError:
        return
    assert parsed.body == message.partition(b"\r\n\r\n")[2]


def _frame_datagram(data: bytes) -> None:
    try:
        framed = frame_datagram(data)
    except RemoteProtocolError:
        return
    assert framed is None or framed in data


_LONG = b"\x00OPTIONS sip:b SIP/2.0\r\n"
TARGET = Target(
    one_input,
    parser=("opensip.sip.framing",),
    seeds=(
        *(b"\x02\x1e\x00" + message for message in MESSAGES),
        b"\x01\x7f" + RESPONSE + REFER + b"\r\n\r\n" + RESPONSE,
        b"\x00\r\n\r\n\r\n" + REFER,
        b"\x01\x7f\r\n\r\n\r\n\r\n\r\n\r",
        _LONG + b"X: " + b"a" * 17000 + b"\r\n\r\n",
        b"\x01\xff" + _LONG + b"X: " + b"a" * 17000 + b"\r\n\r\n",
        _LONG + b"l: 65537\r\n\r\n",
        _LONG + b"l: 1\r\nl: 2\r\n\r\n",
        _LONG + b"\r\n",
        _LONG + b"l: 0\r\n\r\n" + b"x" * 17000,
    ),
    fault=Fault("opensip.sip.framing", ' or self._buffer == b"\\r\\n\\r"', ""),
    words=(b"\r\n\r\n", b"Content-Length: ", b"\r\nl: ", b"\r\n ", b"SIP/2.0"),
    dear=tuple(
        (start + piece * (MAX_INPUT // len(piece)))[:MAX_INPUT]
        for start in (
            b"\x01\x40",
            b"\x00" + RESPONSE,
            _LONG,
            _LONG + b"l: ",
            _LONG + b"l: 65000\r\n\r\n",
        )
        for piece in (
            b"\r\n\r\n",
            b"\r\n",
            b"\r",
            b"a",
            b" ",
            b"\r\n ",
            b"\r\nl: 0",
            b"\r\nl ",
            RESPONSE,
        )
    ),
)
