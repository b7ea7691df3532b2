"""A realtime server in a session of transcription: we commit, or its own ears do."""

import asyncio
import base64

import numpy as np

from opensip.audio.codecs import G711
from tests.fakes.realtime_server import LOUD, STOPPED, RealtimeServer

WORDS = "conversation.item.input_audio_transcription"
SHORTEST = 0.1  # seconds: less is not committed
EARLY = 0.3  # seconds of a voice after which its first words are told, by a server that is `early`


class TranscriptionServer(RealtimeServer):
    """`ears(samples, rate)` as of OpenAiServer; `early`: the first word comes while it is said.

    `stretches` holds what was transcribed, in samples and their rate.
    """

    def __init__(self, ears=None, *, early=False, **more):
        super().__init__(ears=ears, **more)
        self.early = early
        self.stretches = []
        self.failing = []  # reasons of the next failures, one a stretch
        self._items = 0

    async def _session(self, socket):
        self._heard, self._told, self._item = [], False, ""
        self._loud = self._quiet = 0
        await super()._session(socket)

    async def _input_audio_buffer_append(self, event):
        octets = base64.b64decode(event["audio"])
        form = self.session["audio"]["input"]["format"]["type"].removeprefix("audio/")
        self._rate = 24000 if form == "pcm" else 8000
        samples = (
            np.frombuffer(octets, "<i2") if form == "pcm" else G711[form.upper()].decode(octets)
        )
        self._heard.append(samples)
        loud = np.abs(samples.astype(int)).max(initial=0) > LOUD
        self._loud += len(samples) * bool(loud)
        self._quiet = 0 if loud else self._quiet + len(samples)
        if self.session["audio"]["input"]["turn_detection"]:
            await self._judge(loud)
        elif self.early and not self._told and self._loud >= EARLY * self._rate:
            self._told = True
            text = self.ears(np.concatenate(self._heard), self._rate)
            await self._delta(text.split(" ")[0])

    async def _judge(self, loud):
        if loud and not self._told:
            self._told, self._heard = True, self._heard[-1:]
            await self.send(
                "input_audio_buffer.speech_started", item_id=self._next(), audio_start_ms=0
            )
        elif self._told and self._quiet >= STOPPED * self._rate:
            await self.send(
                "input_audio_buffer.speech_stopped", item_id=self._next(), audio_end_ms=0
            )
            await self._transcribe()

    async def _input_audio_buffer_clear(self, event):
        self._heard, self._told, self._loud, self._item = [], False, 0, ""
        await self.send("input_audio_buffer.cleared")

    async def _input_audio_buffer_commit(self, event):
        if sum(map(len, self._heard)) < SHORTEST * getattr(self, "_rate", 8000):
            await self.error("input_audio_buffer_commit_empty", "buffer too small")
        else:
            await self._transcribe()

    def _next(self):
        if not self._item:
            self._items += 1
            self._item = f"item_{self._items}"
        return self._item

    async def _delta(self, text):
        await self.send(f"{WORDS}.delta", item_id=self._next(), content_index=0, delta=text)

    async def _transcribe(self):
        item, told, samples = self._next(), self._told, np.concatenate(self._heard)
        self._heard, self._told, self._loud, self._item = [], False, 0, ""
        self.stretches.append((samples, self._rate))
        await self.send("input_audio_buffer.committed", item_id=item, previous_item_id=None)
        await asyncio.sleep(self.delay)
        if self.failing:
            wrong = {"type": "server_error", "code": None, "message": self.failing.pop(0)}
            await self.send(f"{WORDS}.failed", item_id=item, content_index=0, error=wrong)
            return
        text = self.ears(samples, self._rate)
        if text is None:  # it never comes
            return
        words = text.split(" ")
        self._item = item
        for word in words[self.early and told :]:
            await self._delta(f" {word}")
        self._item = ""
        await self.send(
            f"{WORDS}.completed", item_id=item, content_index=0, transcript=text,
            usage={"type": "duration", "seconds": len(samples) / self._rate},
        )  # fmt: skip
