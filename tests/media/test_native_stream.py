import asyncio
import sys

import numpy as np
import pytest

from opensip.media.engine import StreamConfig
from opensip.media.ports import PortPool
from opensip.rtp.packet import RtpPacket
from tests.fakes.engines import needs_native
from tests.fakes.virtual_time_loop import VirtualTimeLoop

pytestmark = needs_native
REMOTE = ("127.0.0.1", 9)


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def opened(**config):
    from opensip.media.engine_native import NativeEngine

    loop = asyncio.get_running_loop()
    engine = NativeEngine(loop, threaded=False)
    pair = PortPool("127.0.0.1", 0, 0, clock=loop.time).take()
    stream = engine.open(pair, StreamConfig(**{"remote": REMOTE, **config}))
    return stream, pair


def test_a_stream_that_fails_to_open_gives_its_ports_back_and_reads_nothing(monkeypatch):
    from opensip.media import native_stream
    from opensip.media.engine_native import NativeEngine

    def fails(*_, **__):
        raise OSError("no room")

    async def main():
        loop = asyncio.get_running_loop()
        engine, pool = (
            NativeEngine(loop, threaded=False),
            PortPool("127.0.0.1", 0, 0, clock=loop.time),
        )
        pair = pool.take()
        mine = pair.rtp.dup()
        with monkeypatch.context() as patched:
            patched.setattr(native_stream, "ReportInbox", fails)
            with pytest.raises(OSError, match="no room"):
                engine.open(pair, StreamConfig(remote=REMOTE))
        assert pool.in_use == 0
        mine.sendto(b"for whoever is next", mine.getsockname())
        stream = engine.open(pool.take(), StreamConfig(remote=REMOTE))
        await asyncio.sleep(0.1)
        assert mine.recv(100) == b"for whoever is next"
        mine.close()
        stream.close()

    run(main)


def test_none_is_not_used_up():
    # Compiled with the headers of another Python, macros may count no reference: see module.h.
    async def main():
        stream, _ = opened()
        before = sys.getrefcount(None)
        for _ in range(1000):
            stream.core.deafen(False)
            stream.core.last_received()
        assert abs(sys.getrefcount(None) - before) < 100
        stream.close()

    run(main)


def test_samples_of_any_kind_of_array():
    async def main():
        stream, _ = opened()
        wide = np.arange(800, dtype=np.int32)
        assert stream.write(wide) == 0
        assert stream.write(np.arange(1600, dtype=np.int16)[::2]) == 800
        assert stream.write(np.zeros(0, np.int16)) == 1600
        assert stream.queued() == 1600
        stream.close()

    run(main)


def test_a_codec_that_changes_amid_a_prompt_says_the_rest_of_it():
    async def main():
        loop = asyncio.get_running_loop()
        listening = PortPool("127.0.0.1", 0, 0, clock=loop.time).take()
        stream, _ = opened(remote=listening.address)
        stream.write(np.full(1600, 5000, np.int16))
        await asyncio.sleep(0.1001)
        stream.configure(StreamConfig(remote=listening.address, codec="PCMA", payload_type=8))
        await asyncio.sleep(0.1)
        packets = [RtpPacket.parse(listening.rtp.recv(2048)) for _ in range(10)]
        assert [p.payload_type for p in packets] == [0] * 5 + [8] * 5
        assert {len(set(p.payload)) for p in packets} == {1}
        assert stream.played() == 1600
        stream.close()
        listening.close()

    run(main)


def test_a_host_that_is_no_address_is_learnt_from_its_packets():
    async def main():
        loop = asyncio.get_running_loop()
        peer = PortPool("127.0.0.1", 0, 0, clock=loop.time).take()
        stream, pair = opened(remote=("media.example.com", 4000))
        await asyncio.sleep(0.1001)
        assert stream.statistics()["unsent"] == 5
        for n in range(2):
            packet = RtpPacket(0, n, 160 * n, 7, b"\xff" * 160)
            peer.rtp.sendto(packet.serialize(), pair.address)
        await asyncio.sleep(0.1)
        assert peer.rtp.recv(2048)
        stream.close()
        peer.close()

    run(main)


def test_what_nobody_fetches_is_forgotten_oldest_first():
    async def main():
        loop = asyncio.get_running_loop()
        peer = PortPool("127.0.0.1", 0, 0, clock=loop.time).take()
        stream, pair = opened(remote=peer.address)
        for n in range(150):  # three seconds at once
            payload = bytes((n,)) * 160
            peer.rtp.sendto(RtpPacket(0, n, 160 * n, 7, payload).serialize(), pair.address)
        heard = []
        stream.listener = heard.append
        await asyncio.sleep(0.0201)
        (frame,) = [batch.heard for batch in heard if batch.heard]
        assert len(frame.samples) == 16384
        assert stream.statistics()["unread"] == 150 * 160 - 16384
        assert frame.at == pytest.approx(0.02 + (150 * 160 - 16384) / 8000)
        stream.close()
        peer.close()

    run(main)


def test_of_what_python_decodes_the_older_half_is_forgotten_when_nobody_fetches_it():
    pytest.importorskip("av", reason="the extra 'codecs' is not installed")

    async def main():
        loop = asyncio.get_running_loop()
        peer = PortPool("127.0.0.1", 0, 0, clock=loop.time).take()
        stream, pair = opened(remote=peer.address, receive=((9, "G722"),))
        heard = []
        stream.listener = heard.append
        for n in range(250):  # five seconds at once
            packet = RtpPacket(9, n, 160 * n, 7, bytes(160))
            peer.rtp.sendto(packet.serialize(), pair.address)
        await asyncio.sleep(0.2)
        (frame,) = [batch.heard for batch in heard if batch.heard]
        forgotten = stream.statistics()["unread"]
        assert len(frame.samples) == 320 * (250 - forgotten)
        assert 50 < forgotten < 150
        stream.close()
        peer.close()

    run(main)


def test_fields_that_cannot_be():
    async def main():
        stream, _ = opened()
        with pytest.raises(ValueError, match="one to six half ticks"):
            stream.configure(StreamConfig(remote=REMOTE, ptime=200))
        good = {
            "host": None, "port": 0, "new_latch": False, "symmetric": True, "sending": True,
            "coding": "PCMU", "payload_type": 0, "event_payload_type": 0, "half_ticks": 2,
            "encodings": bytes(128), "kilohertz": bytes(128), "beside": False, "mux": False,
            "receive": (), "transmit": (), "queue": None, "new_said": False,
        }  # fmt: skip
        assert stream.core.configure(**good) is None
        sound = np.zeros(320, np.int16)
        for why, changes in (
            ("128 encodings", {"kilohertz": bytes(127)}),
            ("payload type 9 has no clock", {"encodings": bytes(9) + b"\x06" + bytes(118)}),
            ("48 kHz", {"coding": (481, 80, b"quiet")}),
            ("48 kHz", {"coding": (160, 80, b"")}),
            ("0 octets", {"queue": (0, [(sound, b"")])}),
            ("for 3000 samples", {"queue": (0, [(sound, b"x"), (np.zeros(3000, np.int16), b"x")])}),
            ("2000 octets", {"queue": (0, [(sound, bytes(2000))])}),
        ):
            with pytest.raises(ValueError, match=why):
                stream.core.configure(**good | changes)
        with pytest.raises(TypeError):
            stream.core.configure(**good | {"queue": (0, [(sound, "x")])})
        stream.close()

    run(main)


@pytest.mark.parametrize(
    "samples",
    [
        np.arange(-4, 4, dtype=np.int16),
        np.arange(16, dtype=np.int32)[::2],
        np.arange(8, dtype=np.int16)[::-1],
        np.arange(8, dtype=">i2"),
        np.linspace(-100, 100, 8),
        np.zeros(0, np.int16),
    ],
)
def test_samples_of_any_kind_are_queued_as_they_sound(samples):
    async def main():
        stream, _ = opened()
        assert stream.write(samples) == 0
        assert stream.write(samples) == len(samples)
        queued = np.frombuffer(stream.core.unsent()[1], np.int16)
        assert queued.tolist() == 2 * [int(sample) for sample in samples]
        with pytest.raises(AttributeError):
            stream.write(b"no samples")
        stream.close()

    run(main)
