"""The carrier before the peer of the conversation benches: Bandwidth's WebSocket on every call.

usage: carrier.py PLAN RESULT
Reads ports of a bot, a call each; otherwise as caller.py. What the bot sends is played one piece
after the other, from the moment it comes, until `clear` drops what is not yet played: RESULT gets
when each packet of 20 ms with sound would have left for the caller.
"""

import asyncio
import base64
import json
import sys
import time
from pathlib import Path

import numpy as np
from websockets.asyncio.client import connect

from opensip.audio.codecs import CODECS
from opensip.audio.frame import Samples
from scripts.benches.talk.caller import FRAME, LOUD

TICK = 0.02


def media(said: Samples) -> list[str]:
    """Write the messages of a call beforehand, one a packet."""
    encoded = CODECS["PCMU"].encode(said)
    return [
        json.dumps({
            "eventType": "media", "track": "inbound", "sequenceNumber": str(n),
            "payload": base64.b64encode(encoded[n * FRAME : (n + 1) * FRAME]).decode(),
        })
        for n in range(len(said) // FRAME)
    ]  # fmt: skip


def sound_of(message: dict) -> Samples:
    """Give the samples of a piece that is to be played."""
    return CODECS["PCMU"].decode(base64.b64decode(message["media"]["payload"]))


def played(came: list[tuple[float, str]]) -> list[float]:
    """Tell when the packets with sound are played: each after the one before, until `clear`."""
    times: list[tuple[float, bool]] = []
    end = 0.0
    for at, text in came:
        message = json.loads(text)
        if message["eventType"] == "clear":
            times, end = [one for one in times if one[0] < at], min(end, at)
        elif message["eventType"] == "playAudio":
            samples = sound_of(message)
            end = max(end, at)
            for start in range(0, len(samples), FRAME):
                loud = np.abs(samples[start : start + FRAME].astype(np.int32)).max() > LOUD
                times.append((end, bool(loud)))
                end += TICK
    return [at for at, loud in times if loud]


async def call(
    number: int, port: int, messages: list[str], begin: float
) -> tuple[list[float], list[tuple[float, str]]]:
    """Hold a call; gives when its packets were sent, and when which message came."""
    sent: list[float] = []
    came: list[tuple[float, str]] = []

    async def take() -> None:
        async for message in socket:
            came.append((time.monotonic(), message))

    async with connect(f"ws://127.0.0.1:{port}", compression=None) as socket:
        taking = asyncio.create_task(take())
        start = {"callId": f"c-{number}", "streamId": f"stream-{number}"}
        await socket.send(json.dumps({"eventType": "start", "metadata": start}))
        for slot, message in enumerate(messages):
            await asyncio.sleep(begin + slot * TICK - time.monotonic())
            sent.append(time.monotonic())
            await socket.send(message)
    await taking
    return sent, came


async def talk(said: list[list[str]], ports: list[int]) -> dict[str, list[float]]:
    """Hold all calls, spread over the tick."""
    begin, step = time.monotonic() + 1.0, TICK / len(said)
    calls = [
        call(n, port, messages, begin + n * step)
        for n, (port, messages) in enumerate(zip(ports, said, strict=True))
    ]
    result = {}
    for number, (sent, came) in enumerate(await asyncio.gather(*calls)):
        result |= {f"sent{number}": sent, f"loud{number}": played(came)}
    return result


def main() -> None:
    """Make the calls, run them, and write what was measured."""
    with np.load(sys.argv[1]) as plan:
        said = [media(plan[name]) for name in plan.files]
    print("ready", flush=True)
    ports = [int(port) for port in sys.stdin.readline().split()]
    np.savez(Path(sys.argv[2]), **asyncio.run(talk(said, ports)))
    print("done", flush=True)


if __name__ == "__main__":
    main()
