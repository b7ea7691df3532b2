"""One side of a call as agents and transfers meet it, whatever carries it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from opensip.audio.frame import AudioSink, AudioSource
from opensip.sip.fields import ReferTo
from opensip.sip.message import Request
from opensip.sip.refer_usage import ReferProgress


@dataclass(frozen=True, slots=True)
class LegEnded:
    """A leg is over. `side` is "caller" (the peer, either way), "us" or "lost"."""

    side: str
    cause: str
    sip_status: int | None = None


class Referral(Protocol):
    """A REFER of the peer, neither accepted nor rejected yet."""

    request: Request

    @property
    def target(self) -> ReferTo:
        """Where the peer wants the caller to go."""

    def accept(self) -> None:
        """Answer 202."""

    def reject(self, status: int = ...) -> None:
        """Refuse it."""

    async def notify(self, status: int) -> None:
        """Tell how the target answered."""


def refuse(referral: Referral) -> Awaitable[None] | None:
    """Decline it: what a leg does with REFERs while it is joined with nobody."""
    referral.reject()
    return None


class Referrer(Protocol):
    """What a transfer by REFER needs of a leg; `peer_allows` holds method names."""

    @property
    def peer_allows(self) -> frozenset[str]:
        """Methods of the peer's Allow header; empty where it had none."""

    def refer(
        self, refer_to: str, headers: Sequence[tuple[str, str]] = (), *, timeout: float = ...
    ) -> AsyncIterator[ReferProgress]:
        """Send a REFER and follow it to its end."""


class Leg(Referrer, Protocol):
    """A leg that has been answered. `source` is what its peer says, `sink` what it hears.

    `referred_by` is our URI in it; `host` where the peer reaches plain numbers; `room` the
    characters that context in a REFER may take. `on_digit` gets each digit of the peer, and
    `on_held` learns when it holds us and when it takes us back. `on_refer` decides on what it
    asks by REFER; what it leaves undecided is refused.
    """

    on_digit: Callable[[str], None]
    on_held: Callable[[bool], None]
    on_refer: Callable[[Referral], Awaitable[None] | None]

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
    def our_hosts(self) -> frozenset[str]:
        """Hosts, in lower case, that the peer knows us by."""

    @property
    def host(self) -> str:
        """Host, with a port where it has one, that numbers without a host are reached at."""

    @property
    def room(self) -> int:
        """How many characters of context a REFER has room for."""

    @property
    def is_held(self) -> bool:
        """Whether the peer does not want to hear us now."""

    @property
    def quiet(self) -> float:
        """Seconds since the peer's last packet of media; infinite where it said it sends none."""

    def relay_to(self, sink: AudioSink | None) -> None:
        """Let `sink` play what the peer says, which `source` tells no more; None ends that."""

    def join(self, other: "Leg") -> bool:
        """Let both peers hear each other without the call's part, until `part`.

        False where the two are of no kind to be joined: then what each says is to be relayed.
        What is written to a sink meanwhile is heard by its peer alone, over the other.
        """

    def part(self) -> None:
        """Take the leg off the one that it is joined to, if it is."""

    async def hold(self, on: bool) -> None:
        """Tell the peer that it is held, or taken back; raises nothing where it will not."""

    async def send_digits(self, digits: str) -> None:
        """Press keys: 0-9, *, #, A-D. Raises MediaError where the peer takes none."""

    def excuse_silence(self, excused: bool) -> None:
        """Take no lack of RTP for the end of the leg while `excused`: others are being asked."""

    async def wait_ended(self) -> LegEnded:
        """Wait until the peer has gone, in whatever way; any number may wait."""

    async def close(self) -> None:
        """Hang up where nobody has, and free all that it holds."""
