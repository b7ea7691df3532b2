"""One side of a call as agents and transfers meet it, whatever carries it."""

from dataclasses import dataclass
from typing import Protocol

from opensip.audio.frame import AudioSink, AudioSource
from opensip.call.transfer import Referrer


@dataclass(frozen=True, slots=True)
class LegEnded:
    """A leg is over. `side` is "caller" (the peer, either way), "us" or "lost"."""

    side: str
    cause: str
    sip_status: int | None = None


class Leg(Referrer, Protocol):
    """A leg that has been answered. `source` is what its peer says, `sink` what it hears.

    `referred_by` is our URI in it; `host` where the peer reaches plain numbers; `room` the
    characters that context in a REFER may take.
    """

    @property
    def source(self) -> AudioSource:
        """What the peer says."""

    @property
    def sink(self) -> AudioSink:
        """What the peer hears."""

    @property
    def referred_by(self) -> str:
        """Our own URI in the dialog."""

    @property
    def host(self) -> str:
        """Host, with a port where it has one, that numbers without a host are reached at."""

    @property
    def room(self) -> int:
        """How many characters of context a REFER has room for."""

    async def send_digits(self, digits: str) -> None:
        """Press keys: 0-9, *, #, A-D. Raises MediaError where the peer takes none."""

    def excuse_silence(self, excused: bool) -> None:
        """Take no lack of RTP for the end of the leg while `excused`: others are being asked."""

    async def wait_ended(self) -> LegEnded:
        """Wait until the peer has gone, in whatever way; any number may wait."""

    async def close(self) -> None:
        """Hang up where nobody has, and free all that it holds."""
