"""What a realtime provider has for the caller: played in order, with word of what was played."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from opensip.audio.frame import AudioSink, Samples
from opensip.audio.resample import OddResampler, Resampler, live_resampler
from opensip.errors import ProviderError

MOST_AHEAD = 300.0  # seconds that may be queued: nobody listens to five minutes of one voice
_LOOK = 0.02  # seconds between two looks at how far the sink is, at least: a tick


class Playout:
    """Writes sound to a sink, and does what is to be done once it has been played."""

    def __init__(self, sink: AudioSink) -> None:
        self._sink = sink
        self._resamplers: dict[int, Resampler | OddResampler] = {}
        self._due: deque[tuple[int, Callable[[], None]]] = deque()
        self._more = asyncio.Event()
        self._end = sink.played() + sink.queued()

    @property
    def end(self) -> int:
        """The position behind the last sample written."""
        return self._end

    def play(self, samples: Samples, rate: int) -> int:
        """Queue samples of `rate` Hz; returns the position of the first. Raises ProviderError."""
        if self._sink.queued() > MOST_AHEAD * self._sink.rate:
            raise ProviderError(f"more than {MOST_AHEAD:g} s of sound wait to be played")
        if rate not in self._resamplers:
            self._resamplers[rate] = live_resampler(rate, self._sink.rate)
        made = self._resamplers[rate].push(samples)
        start = self._sink.write(made)
        self._end = start + len(made)
        return start

    def then(self, act: Callable[[], None]) -> None:
        """Act once all that was queued so far has been played, or was cut."""
        self._due.append((self._end, act))
        self._more.set()

    def cut(self) -> int:
        """Fall silent at once; returns how many samples were never played."""
        lost = self._sink.flush()
        self._resamplers.clear()  # the end of what was cut is no beginning of what comes
        self._more.set()  # whoever waits for what was cut has something sooner to wait for
        self._end = self._sink.played()
        while self._due:
            self._due.popleft()[1]()
        return lost

    async def drained(self) -> None:
        """Wait until all has been played, and what was to be done then is done."""
        await self._sink.drained()
        self._act(max(self._sink.played(), self._end))

    async def run(self) -> None:
        """Watch the sink, until cancelled."""
        while True:
            self._more.clear()
            self._act(self._sink.played())
            if not self._due:
                await self._more.wait()
                continue
            left = (self._due[0][0] - self._sink.played()) / self._sink.rate
            with suppress(TimeoutError):
                async with asyncio.timeout(max(left, _LOOK)):
                    await self._more.wait()

    def _act(self, played: int) -> None:
        while self._due and self._due[0][0] <= played:
            self._due.popleft()[1]()
