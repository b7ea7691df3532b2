"""Providers of the density bench that ask the fakes (far_fakes.py) over TLS WebSockets.

Each call has its own line to each of the three, opened while the phone rings, as with services.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from opensip.agent.chat import Delta, Words
from opensip.agent.health import Health
from opensip.agent.memory import Message
from opensip.agent.model import ModelDialogue
from opensip.agent.providers import Brief, Expectation, Heard, Understood
from opensip.agent.tools import Tool
from opensip.audio.frame import Samples
from opensip.errors import ProviderError
from scripts.benches.density.sockets import Connect, Line, connector

PIECE = 800  # samples: recognizers are sent a tenth of a second at a time
_connect: list[Connect] = []


def begin(folder: Path, client: str, port: int) -> None:
    """Learn where the fakes are, and by which client they are asked."""
    _connect.append(connector(client, port, folder))


class FarRecognizer:
    """Sends all audio up, and tells what comes down."""

    rate = 8000
    punctuates = True
    ends_turns = True

    def __init__(self) -> None:
        self._line: Line | None = None
        self._pieces: list[Samples] = []
        self._samples = 0
        self._tell: Callable[[Heard], None] = lambda heard: None

    def listen(
        self, tell: Callable[[Heard], None], failed: Callable[[ProviderError], None]
    ) -> None:
        """Tell words from now on."""
        self._tell = tell
        self._line = _connect[0]("/hear", self._took)

    def begin(self, expectation: Expectation) -> None:
        """Turns are none of its business."""

    def feed(self, samples: Samples) -> None:
        """Send it, a tenth of a second at a time."""
        self._pieces.append(samples)
        self._samples += len(samples)
        if self._samples >= PIECE and self._line:
            self._line.send(b"".join(piece.tobytes() for piece in self._pieces))
            self._pieces, self._samples = [], 0

    async def finish(self) -> Understood:
        """Nothing was said but what was told."""
        return Understood("")

    async def close(self) -> None:
        """Let the line go."""
        if self._line:
            self._line.close()

    def _took(self, message: str | bytes) -> None:
        self._tell(Heard(*json.loads(message)))


class Asking:
    """Asks over a line, one question after the other; what comes for an older one is left out."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._line: Line | None = None
        self._number = 0
        self._came: asyncio.Queue[str | bytes] = asyncio.Queue()

    def open(self) -> None:
        """Open the line, unless it is."""
        self._line = self._line or _connect[0](self._path, self._came.put_nowait)

    def ask(self, text: str) -> None:
        """Ask."""
        self.open()
        self._number = (self._number + 1) & 0xFFFF
        self._line.send(f"{self._number} {text}".rstrip())

    async def told(self) -> AsyncIterator[str | bytes]:
        """Give what comes: pieces, and at last a text."""
        while True:
            message = await self._came.get()
            if isinstance(message, str):
                number, _, text = message.partition(" ")
                if int(number) == self._number:
                    yield text
                    return
            elif int.from_bytes(message[:2], "big") == self._number:
                yield message


class FarChat:
    """A model that gives one answer."""

    name = "far"

    def __init__(self) -> None:
        self.health = Health()
        self._asking = Asking("/think")

    async def stream(
        self, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> AsyncGenerator[Delta]:
        """Answer."""
        self._asking.ask("")
        async for text in self._asking.told():
            yield Words(text)

    async def prepare(self) -> None:
        """Open the line."""
        self._asking.open()


class FarVoice:
    """A voice whose sound comes down a line."""

    rate = 8000

    def __init__(self) -> None:
        self._asking = Asking("/speak")

    async def speak(self, text: str) -> AsyncIterator[Samples]:
        """Give the sound of a clause, piece by piece."""
        self._asking.ask(text)
        async for message in self._asking.told():
            if isinstance(message, bytes):
                yield np.frombuffer(message, np.int16, offset=2)


def make_recognizer(brief: Brief) -> FarRecognizer:
    """Make one that knows when turns end."""
    return FarRecognizer()


def make_dialogue(brief: Brief) -> ModelDialogue:
    """Make a model's dialogue."""
    return ModelDialogue(brief, FarChat(), now=time.monotonic, today=datetime.now())  # noqa: DTZ005


def make_synthesizer(brief: Brief) -> FarVoice:
    """Make a voice."""
    return FarVoice()
