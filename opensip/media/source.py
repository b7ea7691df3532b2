"""What a session hears, frame by frame, for whoever listens."""

import asyncio
from collections import deque

from opensip.audio.frame import AudioFrame

LONGEST_QUEUE = 500  # frames: ten seconds of speech, after which the oldest are forgotten


class StreamSource:
    """An audio source that is fed by a stream. One reader at a time."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.forgotten = 0  # frames that nobody read in time
        self._frames: deque[AudioFrame] = deque()
        self._ended = False
        self._reader: asyncio.Future[None] | None = None

    def put(self, frame: AudioFrame) -> None:
        """Add the next frame."""
        if self._ended:
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

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
