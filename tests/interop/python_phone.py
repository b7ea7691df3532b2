"""A telephone on baresip-python, in a process of its own, for it allows one runtime in each.

Usage: python_phone.py PORT CA FOLDER NUMBER STEP...     each step is one of
  talk:SECONDS    say a tone, and write what is heard to FOLDER/heard-N.wav
  press:DIGITS    press keys
  hold, resume    as they say
  hangup          hang up
  wait:SECONDS    wait until the other side hangs up
"""

import asyncio
import math
import struct
import sys
import wave
from pathlib import Path

import baresip
from baresip import Account, Config, UserAgent

TONE = 700  # Hz
FRAME_SECONDS = 0.02
KEY_SECONDS = 0.25


def tone_from(start: int, count: int) -> bytes:
    """Make samples of the tone, 8 kHz, phase kept from piece to piece."""
    step = 2 * math.pi * TONE / 8000
    samples = [round(8000 * math.sin(step * n)) for n in range(start, start + count)]
    return struct.pack(f"<{count}h", *samples)


class Phone:
    """One call, step by step."""

    def __init__(self, call: "baresip.Call", folder: Path) -> None:
        self._call, self._folder = call, folder
        self._said, self._talks = 0, 0
        self._closed = asyncio.Event()
        call.on(lambda event: self._closed.set() if event.event.name == "CALL_CLOSED" else None)

    async def take(self, step: str) -> None:
        """Do one step."""
        name, _, value = step.partition(":")
        match name:
            case "talk":
                await self._talk(float(value))
            case "press":
                for digit in value:
                    await self._call.send_dtmf(digit)
                    await asyncio.sleep(KEY_SECONDS)
            case "wait":
                await asyncio.wait_for(self._closed.wait(), float(value))
            case "hold" | "resume" | "hangup":
                await getattr(self._call, name)()
            case _:
                raise ValueError(f"no step {name!r}")

    async def _talk(self, seconds: float) -> None:
        heard, clock = b"", asyncio.get_running_loop()
        end = clock.time() + seconds
        while clock.time() < end:
            try:
                if self._call.audio.info().tx_buffered < 3200:
                    self._call.audio.write(tone_from(self._said, 160))
                    self._said += 160
                heard += self._call.audio.read(3200)
            except (baresip.AudioRestarted, baresip.AudioNotActive):
                pass  # a new offer was answered: the next frame goes to the new streams
            await asyncio.sleep(FRAME_SECONDS)
        with wave.open(str(self._folder / f"heard-{self._talks}.wav"), "wb") as out:
            out.setparams((1, 2, 8000, 0, "NONE", ""))
            out.writeframes(heard)
        self._talks += 1


async def main(port: int, ca: str, folder: Path, number: str, steps: list[str]) -> None:
    """Call `number`, take the steps, and hang up."""
    runtime = baresip.Runtime()
    extra = f"sip_cafile {ca}\nsip_verify_server yes\n"
    await runtime.start(Config(net_interface="127.0.0.1", extra_config_text=extra))
    account = Account(
        user="alice", domain=f"127.0.0.1:{port}", password="secret", reg_interval=0,
        transport="tls", extra_params=("mediaenc=srtp-mand",), audio_codecs=("pcmu",),
    )  # fmt: skip
    try:
        phone = await UserAgent.create(runtime, account)
        call = await phone.dial(f"sip:{number}@127.0.0.1:{port};transport=tls")
        await call.wait_established(timeout=8)
        talk = Phone(call, folder)
        for step in steps:
            await talk.take(step)
    finally:
        await runtime.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4], sys.argv[5:]))
