"""A bot on pipecat's public serializers, in an environment and a process of its own.

Usage: pipecat_bot.py FORMAT FOLDER
Serves one call of FORMAT (twilio, bandwidth) on a port that it prints. It plays a long tone, is
interrupted by what it hears after a second of it, plays a short other tone, and closes its socket.
What it was told stands in FOLDER/bot.json at the end, what it heard in FOLDER/heard.raw.
"""

import asyncio
import json
import math
import struct
import sys
from pathlib import Path

from pipecat.frames.frames import (
    InputAudioRawFrame,
    InputDTMFFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputTransportMessageUrgentFrame,
    StartFrame,
)
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat_bandwidth import BandwidthFrameSerializer
from websockets.asyncio.server import serve

RATE, PCM_RATE = 8000, 16000
FIRST, SECOND = 650, 1004  # Hz
LONG, SHORT = 6.0, 0.8  # seconds
HEARD = 1.0  # seconds of the caller, after which it lets itself be interrupted
PATIENCE = 15.0


def tone(frequency, seconds, rate):
    step = 2 * math.pi * frequency / rate
    samples = (round(8000 * math.sin(step * n)) for n in range(int(seconds * rate)))
    return b"".join(struct.pack("<h", sample) for sample in samples)


class Bot:
    def __init__(self, form, folder):
        self.form, self.folder = form, Path(folder)
        self.told, self.keys, self.heard = [], [], b""
        self.over = asyncio.Event()

    async def talk(self, socket):
        async with asyncio.timeout(PATIENCE):
            async for message in socket:
                event = json.loads(message)
                kind = event.get("event") or event.get("eventType")
                self.told.append(event)
                if kind == "start":
                    self.serializer = make_serializer(self.form, event)
                    await self.serializer.setup(StartFrame(audio_in_sample_rate=RATE))
                    await self.play(socket, FIRST, LONG)
                    await self.mark(socket, "first")
                elif kind in ("media", "dtmf"):
                    await self.take(await self.serializer.deserialize(message), socket)
                elif kind == "mark" and event["mark"]["name"] == "second":
                    break
                if self.form == "bandwidth" and len(self.heard) > 3 * HEARD * RATE * 2:
                    break  # it has no marks: by then the short tone has been heard
        await socket.close()
        self.write()

    async def take(self, frame, socket):
        if isinstance(frame, InputDTMFFrame):
            self.keys.append(frame.button.value)
        if not isinstance(frame, InputAudioRawFrame):
            return
        before, self.heard = len(self.heard), self.heard + frame.audio
        limit = HEARD * RATE * 2
        if before < limit <= len(self.heard):
            await socket.send(await self.serializer.serialize(InterruptionFrame()))
            await self.play(socket, SECOND, SHORT)
            await self.mark(socket, "second")

    async def play(self, socket, frequency, seconds):
        rate = PCM_RATE if self.form == "bandwidth" else RATE
        sound, step = tone(frequency, seconds, rate), rate // 25 * 2
        for start in range(0, len(sound), step):
            frame = OutputAudioRawFrame(
                audio=sound[start : start + step], sample_rate=rate, num_channels=1
            )
            if text := await self.serializer.serialize(frame):
                await socket.send(text)

    async def mark(self, socket, name):
        if self.form == "twilio":
            stream = self.told[-1]["streamSid"]
            message = {"event": "mark", "streamSid": stream, "mark": {"name": name}}
            frame = OutputTransportMessageUrgentFrame(message=message)
            await socket.send(await self.serializer.serialize(frame))

    def write(self):
        (self.folder / "heard.raw").write_bytes(self.heard)
        told = [event for event in self.told if "media" not in event.values()]
        (self.folder / "bot.json").write_text(json.dumps({"told": told, "keys": self.keys}))
        self.over.set()


def make_serializer(form, start):
    if form == "twilio":
        params = TwilioFrameSerializer.InputParams(auto_hang_up=False, sample_rate=RATE)
        return TwilioFrameSerializer(start["start"]["streamSid"], params=params)
    params = BandwidthFrameSerializer.InputParams(
        auto_hang_up=False, sample_rate=RATE,
        outbound_encoding="PCM", outbound_pcm_sample_rate=PCM_RATE,
    )  # fmt: skip
    return BandwidthFrameSerializer(start["metadata"]["streamId"], params=params)


async def main(form, folder):
    bot = Bot(form, folder)
    async with serve(bot.talk, "127.0.0.1", 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        async with asyncio.timeout(60):
            await bot.over.wait()


asyncio.run(main(*sys.argv[1:]))
