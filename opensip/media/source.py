"""What a session hears, frame by frame, for whoever listens."""

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable

from opensip.audio.frame import AudioFrame, Steady
from opensip.media.engine import Stream

LONGEST_QUEUE = 500  # frames: ten seconds of speech, after which the oldest are forgotten


class StreamSource:
    """An audio source that is fed by a stream. One reader at a time."""

    def __init__(self, rate: int, stream: Stream | None = None) -> None:
        self.rate = rate
        self._stream = stream
        self.forgotten = 0  # frames that nobody read in time
        self._frames: deque[AudioFrame] = deque()
        self._ended = False
        self._reader: asyncio.Future[None] | None = None
        self._take: Callable[[AudioFrame], None] | None = None  # who has each frame at once,
        self._context = contextvars.Context()  # and runs in this

    @property
    def steady(self) -> Steady:
        """What may come in longer frames while it goes on."""
        return self._stream.steady if self._stream is not None else Steady.NOTHING

    @steady.setter
    def steady(self, wanted: Steady) -> None:
        if self._stream is not None:
            self._stream.steady = wanted

    def put(self, frame: AudioFrame) -> None:
        """Add the next frame."""
        if self._ended:
            return
        if self._take is not None:
            self._give(self._take, frame)
            return
        if len(self._frames) == LONGEST_QUEUE:
            self._frames.popleft()
            self.forgotten += 1
        self._frames.append(frame)
        self._wake()

    def end(self) -> None:
        """End the source; what is queued can still be read."""
        self._ended = True
        self._wake()

    async def read(self) -> AudioFrame | None:
        """Wait for the next frame; None once the source has ended, and ever after."""
        while not self._frames:
            if self._ended:
                return None
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self._frames.popleft()

    async def each(self, take: Callable[[AudioFrame], None]) -> None:
        """Let `take` have every frame as soon as it comes, until the source ends.

        It runs in the context of who calls this: what it logs carries the call's id.
        """
        while self._frames:
            take(self._frames.popleft())
        if self._ended:
            return
        self._reader = asyncio.get_running_loop().create_future()
        self._take, self._context = take, contextvars.copy_context()
        try:
            await self._reader
        finally:
            self._take = None

    def _give(self, take: Callable[[AudioFrame], None], frame: AudioFrame) -> None:
        try:
            self._context.run(take, frame)
        except Exception as error:  # border: whoever listens, and learns of it where they wait
            self._take = None
            if self._reader is not None and not self._reader.done():
                self._reader.set_exception(error)

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
