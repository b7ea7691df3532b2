"""RTP bleed: a sprayer on every port of the range, mid-call, hears nothing and is not heard.

It begins before the peer's first packet, which ends what it may have got by that.
"""

import asyncio
import socket
import struct
from pathlib import Path

import numpy as np
import pytest

from opensip.errors import ConfigError
from opensip.media.engine import Engine
from opensip.media.engine_choice import open_engine
from opensip.media.ports import PortPool
from opensip.media.recorder import Recorder
from opensip.media.session import MediaConfig, MediaSession
from tests.interop.hearing import read_wav

pytestmark = pytest.mark.interop

HOST = "127.0.0.7"  # other tests run beside: theirs is not to be sprayed
FIRST, LAST = 22000, 22999  # of the callee
ROUNDS = 20  # datagrams on each port
EARLY = 3  # of them before the peer speaks: two are enough to be taken for a peer behind a NAT
LOUD = bytes((0x80, 0x00)) * 80  # full scale, as PCMU has it
REPORT = b"\x80\xc9\x00\x01" + bytes(4)


class Sprayer:
    """Somebody else on the network: one socket here, one on another address."""

    def __init__(self) -> None:
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for place, host in zip(self.sockets, (HOST, "127.0.0.8"), strict=True):
            place.bind((host, 0))
            place.setblocking(False)
        self.sent = self.got = 0

    def spray(self, sequence: int, ssrc: int) -> None:
        """Send a loud packet to each port of the range, and a report to those between."""
        for port in range(FIRST, LAST + 1):
            data = struct.pack(">BBHII", 0x80, 0, sequence, 160 * sequence, ssrc) + LOUD
            for place in self.sockets:
                try:
                    place.sendto(data if port % 2 == 0 else REPORT, (HOST, port))
                    self.sent += 1
                except ConnectionRefusedError:  # the kernel's word for a port that takes nothing
                    pass
        self.read()

    async def come_first(self) -> None:
        """Speak on each port until it may take us for its peer."""
        for n in range(EARLY):
            self.spray(n, 66)
            await asyncio.sleep(0.02)

    def close(self) -> None:
        """Go away."""
        for place in self.sockets:
            place.close()

    def read(self) -> None:
        """Count what came."""
        for place in self.sockets:
            while True:
                try:
                    place.recv(2000)
                except ConnectionRefusedError:
                    continue
                except BlockingIOError:
                    break
                self.got += 1


async def begin(
    running: Engine, srtp: str, sprayer: Sprayer
) -> tuple[MediaSession, MediaSession, float]:
    """Begin a call that the sprayer is first at; tells how many of its packets were taken."""
    clock = asyncio.get_running_loop().time
    config = MediaConfig(HOST, srtp=srtp)
    pools = [PortPool(HOST, *ends, clock=clock) for ends in ((0, 0), (FIRST, LAST))]
    caller, callee = (MediaSession(running, pool, config) for pool in pools)
    answer = callee.answer(caller.offer())
    await sprayer.come_first()
    early = callee.statistics()["received"]
    caller.accept(answer)
    await asyncio.sleep(0.5)  # both have heard each other: it is mid-call
    sprayer.read()
    sprayer.got = 0
    return caller, callee, early


@pytest.mark.parametrize("srtp", ["off", "required"], ids=["plain", "srtp"])
@pytest.mark.parametrize("engine", ["native", "python"])
def test_a_sprayer_gets_no_packet_and_no_sample_into_the_recording(
    engine: str, srtp: str, tmp_path: Path
) -> None:
    path = tmp_path / "call.wav"

    async def main() -> tuple[Sprayer, dict[str, float], float]:
        loop = asyncio.get_running_loop()
        try:
            running = open_engine(engine, loop)
        except ConfigError as error:
            pytest.skip(str(error))
        sprayer = Sprayer()
        caller, callee, early = await begin(running, srtp, sprayer)
        callee.record_to(Recorder(path))
        ssrc = callee.stream.receiver.ssrc  # the worst case: it knows the peer's source
        for n in range(ROUNDS):
            sprayer.spray(n + 100, ssrc if n % 2 else 7)
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        sprayer.read()
        counts = dict(callee.statistics())
        counts["received"] -= early
        heard = caller.statistics()["received"]
        sprayer.close()
        await caller.close()
        await callee.close()
        running.close()
        return sprayer, counts, heard

    sprayer, counts, heard = asyncio.run(main())
    dropped = {name: count for name, count in counts.items() if name.startswith("dropped")}
    print(engine, srtp, "sent", sprayer.sent, "got", sprayer.got, dropped)
    assert sprayer.sent > ROUNDS * (LAST - FIRST) / 2
    assert sprayer.got == 0
    both = read_wav(path)
    assert len(both[0]) > 8000
    assert not np.any(both)  # caller and callee say nothing, so nobody else may
    assert counts["lost"] == 0
    assert heard > 40  # the call went on
    assert counts["received"] > 40
