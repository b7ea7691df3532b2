"""A telephone on baresip-python, in a process of its own, for it allows one runtime in each.

Usage: python_phone.py SETTINGS FOLDER STEP...     SETTINGS is JSON:
  transport, parameters   of its account; ca, listen: what it trusts, and HOST:PORT for its calls
Each STEP is one of the following, of its latest call where nothing else is said:
  call:URI        call, and wait for the answer
  ring            wait to be called, and ring a moment
  answer          answer that call, and wait until it stands
  follow          wait to be transferred, and make the call that is asked for: it is then the latest
  attended        transfer the first call to the latest
  talk:SECONDS    say a tone, and write what is heard to FOLDER/heard-N.wav
  press:DIGITS    press keys
  hold, resume    as they say
  hangup          hang up
  wait:SECONDS    wait until it is over
It prints "ready", and each step once it is done; "failed: WHY" where a transfer was not.
"""

import asyncio
import json
import math
import struct
import sys
import wave
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import baresip
from baresip import Account, Config, UserAgent

TONE = 700  # Hz
FRAME_SECONDS = 0.02
KEY_SECONDS = 0.25
RINGING = 0.5  # seconds
PATIENCE = 10.0  # seconds for anything that is waited for


def tone_from(start: int, count: int) -> bytes:
    """Make samples of the tone, 8 kHz, phase kept from piece to piece."""
    step = 2 * math.pi * TONE / 8000
    samples = [round(8000 * math.sin(step * n)) for n in range(start, start + count)]
    return struct.pack(f"<{count}h", *samples)


class Watched:
    """A call, and what has happened in it."""

    def __init__(self, call: "baresip.Call") -> None:
        self.call = call
        self.is_closed, self.is_referred = asyncio.Event(), asyncio.Event()
        call.on(self._note)

    def _note(self, event: Any) -> None:
        if event.event.name == "CALL_CLOSED":
            self.is_closed.set()
        elif event.event.name == "CALL_TRANSFER":
            self.is_referred.set()


class Phone:
    """Takes one step after the other."""

    def __init__(self, runtime: "baresip.Runtime", agent: UserAgent, folder: Path) -> None:
        self._runtime, self._agent, self._folder = runtime, agent, folder
        self._calls: list[Watched] = []
        self._rings: asyncio.Queue[baresip.Call] = asyncio.Queue()
        self._said, self._talks = 0, 0
        agent.on_incoming(self._rings.put_nowait)

    async def take(self, step: str) -> None:
        """Do one step."""
        name, _, value = step.partition(":")
        match name:
            case "call":
                await self._establish(self._agent.dial(value))
            case "ring":
                self._calls.append(Watched(await asyncio.wait_for(self._rings.get(), PATIENCE)))
                await asyncio.sleep(RINGING)  # it cannot answer before its 180 is acknowledged
            case "follow":
                await asyncio.wait_for(self._calls[-1].is_referred.wait(), PATIENCE)
                await self._establish(self._call.accept_transfer())
            case "attended":
                await self._transfer()
            case _:
                await self._with_call(name, value)

    async def _with_call(self, name: str, value: str) -> None:
        match name:
            case "answer":
                await self._call.answer()
                await self._call.wait_established(timeout=PATIENCE)
            case "talk":
                await self._talk(float(value))
            case "press":
                for digit in value:
                    await self._call.send_dtmf(digit)
                    await asyncio.sleep(KEY_SECONDS)
            case "wait":
                await asyncio.wait_for(self._calls[-1].is_closed.wait(), float(value))
            case "hold" | "resume":
                await self._once_free(getattr(self._call, name))
            case "hangup":
                await self._call.hangup()
            case _:
                raise ValueError(f"no step {name!r}")

    async def _once_free(self, change: Callable[[], Awaitable[None]]) -> None:
        """Change the call; the stack refuses while an offer of its own is still to be answered."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    return await change()
                except baresip.BaresipError as error:
                    if "in flight" not in str(error):
                        raise
                await asyncio.sleep(FRAME_SECONDS)

    @property
    def _call(self) -> "baresip.Call":
        return self._calls[-1].call

    async def _establish(self, dialling: Coroutine[Any, Any, "baresip.Call"]) -> None:
        # The stack tells of an answer that comes before `dialling` returns, but no Call hears it.
        early: list[Any] = []
        self._runtime.subscribe(early.append)
        call = await dialling
        self._runtime.unsubscribe(early.append)
        for event in early:
            call._on_stack_event(event)  # leaves those of other calls alone
        self._calls.append(Watched(call))
        await call.wait_established(timeout=PATIENCE)

    async def _transfer(self) -> None:
        try:
            await self._calls[0].call.attended_transfer(self._call, timeout=PATIENCE)
        except baresip.BaresipError as error:
            print(f"failed: {error}", flush=True)

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


def config_of(settings: dict[str, Any]) -> Config:
    """Write the stack's configuration."""
    extra = ""
    if ca := settings.get("ca"):
        extra += f"sip_cafile {ca}\nsip_verify_server yes\n"
    if listen := settings.get("listen"):
        extra += f"sip_listen {listen}\n"
    return Config(net_interface="127.0.0.1", extra_config_text=extra)


async def main(settings: dict[str, Any], folder: Path, steps: list[str]) -> None:
    """Take the steps, and hang up."""
    runtime = baresip.Runtime()
    await runtime.start(config_of(settings))
    account = Account(
        user=settings.get("user", "alice"), domain="127.0.0.1", password="secret", reg_interval=0,
        transport=settings["transport"], extra_params=tuple(settings.get("parameters", ())),
        audio_codecs=("pcmu",),
    )  # fmt: skip
    try:
        phone = Phone(runtime, await UserAgent.create(runtime, account), folder)
        print("ready", flush=True)
        for step in steps:
            await phone.take(step)
            print(step, flush=True)
    finally:
        await runtime.close()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
