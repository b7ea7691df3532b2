"""Bridges a wait: says a few words when an answer takes long, so that nobody hears dead air."""

import asyncio
from collections.abc import Callable, Sequence

from opensip.agent.mouth import Mouth
from opensip.audio.frame import AudioSink
from opensip.events import FillerSaid, Observer

LATEST = 1.4  # seconds after the caller's last sound, however long its end was waited for
_SOON = 0.2  # seconds until a filler is tried again that could not be said
AGAIN = 2.2  # seconds of silence after the last sound: with the filler's delay, under 3 in all


class Fillers:
    """Says its texts in turn, the first `seconds` after the end of a turn. None is an answer."""

    def __init__(
        self,
        texts: Sequence[str],
        seconds: float,
        *,
        mouth: Mouth,
        sink: AudioSink,
        observer: Observer,
        now: Callable[[], float],
    ) -> None:
        self._texts = tuple(texts)
        self._seconds = seconds
        self._mouth = mouth
        self._sink = sink
        self._observer = observer
        self._now = now
        self._next = 0
        self._sound_ends = now()  # of an answer that the mouth does not speak
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Tell whether an answer is watched over."""
        return self._task is not None

    def start(self, ended: float, since: float) -> None:
        """Watch over an answer to a turn that ended at `ended`, and was last heard at `since`."""
        self.stop()
        if self._texts:
            due = min(ended + self._seconds, since + max(self._seconds, LATEST))
            self._task = asyncio.create_task(self._watch(due, since))

    def stop(self) -> None:
        """The answer is all there, or given up."""
        if self._task:
            self._task.cancel()
            self._task = None

    def sounded(self, seconds: float) -> None:
        """Learn that so much sound is queued now, with some of the answer beside the mouth."""
        self._sound_ends = self._now() + seconds

    async def _watch(self, due: float, since: float) -> None:
        began = self._now()
        while True:
            await asyncio.sleep(max(0.0, due - self._now()))
            if self._sink.queued():
                await self._sink.drained()
                due = self._now() + AGAIN
            elif (sounded := max(self._sound_ends, self._mouth.sound_ends)) > began:
                due, began = sounded + AGAIN, sounded
            elif self._say(self._now() - since):
                await self._sink.drained()
                due = self._now() + AGAIN
            else:
                due = self._now() + _SOON

    def _say(self, waited: float) -> bool:
        text = self._texts[self._next % len(self._texts)]
        said = self._mouth.bridge(text)
        if said:
            self._next += 1
            self._observer.note(FillerSaid(self._now(), text, waited * 1000))
        return said
