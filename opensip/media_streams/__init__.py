"""The WebSocket media protocols of carriers: what they say of a call, and what bots answer.

A format (`twilio`, `bandwidth`) writes and reads both directions as text; each is a record here
and one line in FORMATS. Does no I/O. What is misformed raises RemoteProtocolError.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from opensip.media_streams import bandwidth, twilio
from opensip.media_streams.message import Command, Event


class WriteEvent(Protocol):
    """Writes what a carrier tells; what the format has no word for is ""."""

    def __call__(self, event: Event, *, stream: str, number: int) -> str:
        """Write an event of the stream with that id, as message `number` of it, from 1."""


@dataclass(frozen=True, slots=True)
class Format:
    """One protocol: `write_event` and `read_command` are the carrier's side, the others the bot's.

    `write_command` takes the stream's id. The readers give None for messages of a kind that they
    do not know: carriers add some without asking.
    """

    name: str
    write_event: WriteEvent
    read_event: Callable[[str], Event | None]
    write_command: Callable[[Command, str], str]
    read_command: Callable[[str], Command | None]


FORMATS: dict[str, Format] = {
    "twilio": Format(
        "twilio",
        twilio.write_event,
        twilio.read_event,
        twilio.write_command,
        twilio.read_command,
    ),
    "bandwidth": Format(
        "bandwidth",
        bandwidth.write_event,
        bandwidth.read_event,
        bandwidth.write_command,
        bandwidth.read_command,
    ),
}
