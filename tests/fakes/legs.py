"""Legs and agents of a call without SIP, sockets or speech."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import numpy as np

from opensip.audio.frame import AudioFrame, Samples, Steady
from opensip.call.leg import LegEnded, refuse
from opensip.events import CallEvent
from opensip.sip.fields import ReferTo
from opensip.sip.message import Headers, Request
from opensip.sip.refer_usage import ReferProgress
from opensip.sip.uri import Uri

RATE = 8000


class Noted:
    """An observer that keeps what it was told."""

    def __init__(self) -> None:
        self.events: list[CallEvent] = []

    def note(self, event: CallEvent) -> None:
        self.events.append(event)

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    def of(self, kind: str) -> list[CallEvent]:
        return [event for event in self.events if event.kind == kind]


class FakeSource:
    """A source that is silent until it ends."""

    rate = RATE
    steady = Steady.NOTHING

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def read(self) -> AudioFrame | None:
        await self.ended.wait()
        return None

    async def each(self, take: Callable[[AudioFrame], None]) -> None:
        await self.ended.wait()


class FakeSink:
    """A sink that plays in real (virtual) time and remembers what it was given."""

    rate = RATE

    def __init__(self) -> None:
        self.written: list[tuple[float, Samples]] = []
        self.flushed = 0
        self._total = 0
        self._ends_at = 0.0

    def write(self, samples: Samples) -> int:
        now = asyncio.get_running_loop().time()
        self.written.append((now, np.asarray(samples)))
        self._ends_at = max(self._ends_at, now) + len(samples) / RATE
        self._total += len(samples)
        return self._total - len(samples)

    def flush(self) -> int:
        left = self.queued()
        self.flushed += left
        self._ends_at = 0.0
        return left

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def queued(self) -> int:
        return max(0, round((self._ends_at - asyncio.get_running_loop().time()) * RATE))

    def played(self) -> int:
        return self._total - self.queued()

    async def drained(self) -> None:
        await asyncio.sleep(max(0.0, self._ends_at - asyncio.get_running_loop().time()))


class FakeLeg:
    """A leg whose peer answers a REFER as `progress` says: (delay in seconds, progress) pairs."""

    def __init__(
        self,
        progress: Sequence[tuple[float, ReferProgress]] = (),
        *,
        allows: frozenset[str] = frozenset(),
    ) -> None:
        self.source, self.sink = FakeSource(), FakeSink()
        self.peer_allows = allows
        self.referred_by = "sip:+15553334444@sip.us.opensip.example"
        self.host = "192.0.2.10"
        self.our_hosts = frozenset({"ours.example"})
        self.room = 4096
        self.refers: list[tuple[str, tuple[tuple[str, str], ...]]] = []
        self.closed = 0
        self.pressed = ""
        self._progress = progress
        self.excused = False
        self.on_digit = self.on_held = lambda _: None
        self.on_refer = refuse
        self.is_held = False
        self.quiet = 0.0
        self.relayed = self.joined = None
        self.joins = False
        self.holds: list[bool] = []
        self._ended: asyncio.Future[LegEnded] = asyncio.get_running_loop().create_future()

    def end(self, side: str = "caller", cause: str = "bye") -> None:
        if not self._ended.done():
            self._ended.set_result(LegEnded(side, cause))

    async def refer(
        self, refer_to: str, headers: Sequence[tuple[str, str]] = (), **_: float
    ) -> AsyncIterator[ReferProgress]:
        self.refers.append((refer_to, tuple(headers)))
        for delay, progress in self._progress:
            await asyncio.sleep(delay)
            if progress.way == "bye":
                self.end()
            yield progress

    async def send_digits(self, digits: str) -> None:
        self.pressed += digits

    def relay_to(self, sink: FakeSink | None) -> None:
        self.relayed = sink

    def join(self, other: "FakeLeg") -> bool:
        self.joined = other if self.joins else None
        return self.joins

    def part(self) -> None:
        self.joined = None

    async def hold(self, on: bool) -> None:
        self.holds.append(on)

    def fall_silent(self) -> None:
        """Let RTP have stayed away for too long."""
        if not self.excused:
            self.end("lost", "no RTP for 15 s (silence)")

    def excuse_silence(self, excused: bool) -> None:
        self.excused = excused

    async def wait_ended(self) -> LegEnded:
        return await asyncio.shield(self._ended)

    async def close(self) -> None:
        self.closed += 1
        self.source.ended.set()


class FakeReferral:
    """A REFER that remembers how it was answered."""

    def __init__(self, to: str, referred_by: str = "") -> None:
        headers = [("Referred-By", referred_by)] if referred_by else []
        self.request = Request("REFER", Uri.parse("sip:us@ours.example"), Headers(headers))
        self.target = ReferTo.parse(f"<{to}>")
        self.told: list[int] = []

    def accept(self) -> None:
        self.told.append(202)

    def reject(self, status: int = 603) -> None:
        self.told.append(status)

    async def notify(self, status: int) -> None:
        self.told.append(status)
