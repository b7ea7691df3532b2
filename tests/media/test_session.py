import asyncio
import itertools
from dataclasses import replace

import numpy as np
import pytest

from opensip.audio.dtmf_detector import DtmfDetector
from opensip.audio.frame import AudioFrame
from opensip.audio.tones import dtmf_tone
from opensip.errors import LocalProtocolError, NegotiationError
from opensip.events import Dtmf, Fault, Held, MediaNegotiated, MediaSourceChanged, MediaStatistics
from opensip.media.engine import Digit
from opensip.media.ports import PortPool
from opensip.media.recorder import Recorder
from opensip.media.session import MediaConfig, MediaSession
from opensip.sdp.fingerprint import DtlsPeer, Fingerprint
from tests.fakes.engines import each_engine
from tests.fakes.legs import FakeSink
from tests.fakes.media_engine import FakeEngine, FakePorts
from tests.fakes.virtual_time_loop import VirtualTimeLoop


class Notes(list):
    note = list.append

    def of(self, kind):
        return [event for event in self if isinstance(event, kind)]


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def keys(first):
    """Give random bytes that are never the same twice, and known."""
    count = itertools.count(first)
    return lambda length: bytes([next(count) % 256]) * length


class Party:
    """A session with its stream and notes."""

    def __init__(self, port=20000, **config):
        self.notes = Notes()
        engine = FakeEngine(asyncio.get_running_loop())
        config = MediaConfig("127.0.0.1", **{"srtp": "preferred", **config})
        ports = FakePorts(port=port)
        self.session = MediaSession(
            engine, ports, config, observer=self.notes, random=keys(port // 100)
        )
        (self.stream,) = engine.streams


def connect(caller, callee):
    """Let `caller` offer and `callee` answer."""
    answer = callee.session.answer(caller.session.offer())
    caller.session.accept(answer)


def test_both_sides_agree_on_address_codec_and_keys():
    async def main():
        caller, callee = Party(20000), Party(30000, codecs=("PCMA",))
        connect(caller, callee)
        one, two = caller.stream.config, callee.stream.config
        assert one.remote == ("127.0.0.1", 30000)
        assert two.remote == ("127.0.0.1", 20000)
        assert (one.rtcp, two.rtcp) == (("127.0.0.1", 30001), ("127.0.0.1", 20001))
        assert one.codec == two.codec == "PCMA"
        assert one.payload_type == 8
        assert one.event_payload_type == 101
        assert dict(two.receive)[101] == "telephone-event"
        assert one.keys.transmit == two.keys.receive != one.keys.receive == two.keys.transmit
        assert one.keys.suite == two.keys.suite == "AES_CM_128_HMAC_SHA1_80"
        assert one.sending
        assert two.sending
        (negotiated,) = callee.notes.of(MediaNegotiated)
        assert (negotiated.codec, negotiated.remote) == ("PCMA", "127.0.0.1:20000")
        assert not callee.notes.of(Held)

    run(main)


def test_plain_rtp_and_a_public_address():
    async def main():
        caller = Party(srtp="off", public_address="203.0.113.9")
        callee = Party(30000, srtp="off")
        connect(caller, callee)
        assert callee.stream.config.keys is None
        assert callee.stream.config.remote == ("203.0.113.9", 20000)

    run(main)


def test_nothing_in_common_leaves_what_was_agreed():
    async def main():
        caller, callee = Party(srtp="off"), Party(30000, srtp="required")
        with pytest.raises(NegotiationError):
            callee.session.answer(caller.session.offer())
        assert callee.session.negotiated is None
        assert callee.stream.config.remote is None
        with pytest.raises(LocalProtocolError):
            callee.session.accept(b"")

    run(main)


def test_a_new_offer_keeps_the_key_holds_and_resumes():
    async def main():
        caller, callee = Party(20000), Party(30000)
        connect(caller, callee)
        before = callee.stream.config
        caller.session.direction = "sendonly"
        connect(caller, callee)
        held = callee.stream.config
        assert held.keys == before.keys
        assert not held.sending
        caller.session.direction = "sendrecv"
        connect(caller, callee)
        assert callee.stream.config == before
        connect(callee, caller)  # the other side may offer as well
        assert callee.stream.config.keys == before.keys
        assert [event.on for event in callee.notes.of(Held)] == [True, False]
        assert len(callee.notes.of(MediaNegotiated)) == 1

    run(main)


def test_the_old_hold_sends_nothing_nowhere():
    async def main():
        caller, callee = Party(20000), Party(30000)
        connect(caller, callee)
        before = callee.stream.config
        offer = caller.session.offer().replace(b"c=IN IP4 127.0.0.1", b"c=IN IP4 0.0.0.0")
        callee.session.answer(offer)
        callee.session.answer(offer)
        held = callee.stream.config
        assert not held.sending
        assert (held.remote, held.rtcp) == (before.remote, before.rtcp)
        assert [event.on for event in callee.notes.of(Held)] == [True]

    run(main)


def test_a_moved_peer_with_a_new_key_and_codec():
    async def main():
        caller, callee = Party(20000), Party(30000)
        connect(caller, callee)
        before = callee.stream.config
        other = Party(40000, codecs=("PCMA",))
        other.session._random = lambda length: b"\xee" * length
        callee.session.answer(other.session.offer())
        after = callee.stream.config
        assert after.remote == ("127.0.0.1", 40000)
        assert after.codec == "PCMA"
        assert after.keys.receive == b"\xee" * 30
        assert after.keys.transmit == before.keys.transmit
        assert len(callee.notes.of(MediaNegotiated)) == 2

    run(main)


def test_another_suite_gets_another_key():
    async def main():
        caller, callee = Party(20000), Party(30000)
        offer = caller.session.offer()
        callee.session.answer(offer)
        before = callee.stream.config.keys
        lines = [line for line in offer.split(b"\r\n") if b"SHA1_80" not in line]
        callee.session.answer(b"\r\n".join(lines))
        after = callee.stream.config.keys
        assert (before.suite, after.suite) == ("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32")
        assert before.transmit != after.transmit

    run(main)


def test_no_rtp_from_the_start():
    async def main():
        caller, callee = Party(20000), Party(30000)
        connect(caller, callee)
        timed_out = await callee.session.wait_timed_out()
        assert (timed_out.phase, timed_out.seconds, timed_out.at) == ("first", 30.0, 30.0)
        assert timed_out in callee.notes

    run(main)


def test_rtp_that_stops_and_hold_that_does_not_count():
    async def main():
        caller, callee = Party(20000), Party(30000)
        connect(caller, callee)
        waiting = asyncio.create_task(callee.session.wait_timed_out())
        await asyncio.sleep(10)
        callee.stream.last_received = 10.0
        await asyncio.sleep(5)
        caller.session.direction = "inactive"
        connect(caller, callee)
        await asyncio.sleep(600)
        assert not waiting.done()
        caller.session.direction = "sendrecv"
        connect(caller, callee)
        timed_out = await waiting
        assert (timed_out.phase, timed_out.at) == ("silence", 630.0)

    run(main)


def test_silence_that_is_excused_does_not_count():
    async def main():
        caller, callee = Party(20000), Party(30000)
        callee.session.excuse_silence(False)  # before anything was agreed on
        connect(caller, callee)
        callee.stream.last_received = 0.0
        waiting = asyncio.create_task(callee.session.wait_timed_out())
        await asyncio.sleep(10)
        callee.session.excuse_silence(True)
        connect(caller, callee)  # a session refresh meanwhile
        await asyncio.sleep(50)
        assert not waiting.done()
        callee.session.excuse_silence(False)
        timed_out = await waiting
        assert (timed_out.phase, timed_out.at) == ("silence", 75.0)

    run(main)


def test_music_on_hold_is_handed_on_as_silence_and_the_agent_is_told():
    async def main():
        caller, callee, told = Party(20000), Party(30000), []
        callee.session.on_held = told.append
        assert not callee.session.is_held
        connect(caller, callee)
        caller.session.direction = "sendonly"
        connect(caller, callee)
        music = AudioFrame(1.0, np.ones(160, np.int16), 8000, -20.0)
        callee.stream.hear(music)
        assert (callee.session.is_held, told) == (True, [True])
        silence = await callee.session.source.read()
        assert (silence.at, len(silence.samples), silence.samples.any()) == (1.0, 160, False)
        assert silence.level_dbfs < -90
        caller.session.direction = "sendrecv"
        connect(caller, callee)
        callee.stream.hear(music)
        assert (callee.session.is_held, told) == (False, [True, False])
        assert await callee.session.source.read() is music

    run(main)


def test_a_stream_that_failed_ends_what_is_heard_and_is_told():
    async def main():
        party = Party()
        party.stream.hear(at=3.0, seconds=0.0, fault="KeyError(0)")
        assert await party.session.source.read() is None
        assert await party.session.wait_broken() == "KeyError(0)"
        assert party.notes == [Fault(3.0, "media", "KeyError(0)")]

    run(main)


def test_what_comes_is_read_and_silence_where_nothing_does():
    async def main():
        party = Party()
        frame = AudioFrame(1.0, np.ones(160, np.int16), 8000, -60.0)
        party.stream.hear(frame)
        party.stream.hear(at=2.0, seconds=0.1)
        await party.session.close()
        assert await party.session.source.read() is frame
        silence = await party.session.source.read()
        assert (silence.at, len(silence.samples), silence.samples.any()) == (1.9, 800, False)
        assert await party.session.source.read() is None

    run(main)


def test_a_packet_that_is_a_tick_late_makes_time_no_longer():
    async def main():
        party = Party()
        first, late = (AudioFrame(1.0, np.ones(n, np.int16), 8000, -20.0) for n in (160, 320))
        party.stream.hear(first)
        for tick in range(1, 4):
            party.stream.hear(at=1 + 0.02 * tick, seconds=0.02)
        party.stream.hear(late)
        await party.session.close()
        assert await party.session.source.read() is first
        assert await party.session.source.read() is late
        assert await party.session.source.read() is None

    run(main)


def test_digits_both_ways_and_a_moved_source_are_told():
    async def main():
        party, taken = Party(), []
        party.session.on_dtmf = taken.append
        party.stream.hear(at=3.0, digits=(Digit("7", 120),), moved_to=("192.0.2.1", 9))
        assert taken == [Dtmf(3.0, "7", 120, "rfc4733")] == party.notes.of(Dtmf)
        assert party.notes.of(MediaSourceChanged) == [MediaSourceChanged(3.0, "192.0.2.1:9")]
        await party.session.send_digits("1#")
        assert party.stream.digits_sent == ["1", "#"]

    run(main)


def test_a_press_that_comes_in_three_ways_is_told_once():
    async def main():
        party, taken = Party(hear_tones=True), []
        party.session.on_dtmf = taken.append
        tone = AudioFrame(1.0, dtmf_tone("7"), 8000, -10.0)
        party.stream.hear(tone)
        party.stream.hear(at=1.2, digits=(Digit("7", 20),))
        party.session.take_info("7", 160)
        party.session.take_info("8", 160)
        assert [(dtmf.digit, dtmf.way) for dtmf in taken] == [("7", "inband"), ("8", "info")]
        assert taken == party.notes.of(Dtmf)

    run(main)


def test_tones_are_sent_as_sound():
    async def main():
        caller, callee = Party(20000), Party(30000)
        assert not caller.session.takes_events
        connect(caller, callee)
        assert caller.session.takes_events
        sink = caller.session._sink = FakeSink()
        await caller.session.send_tones("5#")
        [(_, sound)] = sink.written
        assert "".join(tone.digit for tone in DtmfDetector().push(sound)) == "5#"
        assert not sink.queued()

    run(main)


def test_a_recording_holds_both_sides(tmp_path):
    async def main():
        party = Party()
        recorder = Recorder(tmp_path / "call.wav")
        party.session.record_to(recorder)
        assert party.stream.keep_said
        heard = AudioFrame(0.0, np.full(800, 3, np.int16), 8000, -60.0)
        party.stream.hear(heard, said=np.full(800, 4, np.int16), said_at=0.0)
        party.stream.hear(at=0.2)
        await party.session.close()
        await party.session.close()
        assert not recorder.running
        return np.frombuffer(recorder.path.read_bytes()[44:], "<i2").reshape(-1, 2)

    both = run(main)
    assert both.tolist() == [[3, 4]] * 800


def test_a_recording_pauses_and_goes_on(tmp_path):
    async def main():
        party = Party()
        party.session.record(False)  # there is none yet: nothing happens
        recorder = Recorder(tmp_path / "call.wav")
        party.session.record_to(recorder)
        paused = []
        for on in (False, True):
            party.session.record(on)
            paused.append(recorder.paused)
        await party.session.close()
        return paused

    assert run(main) == [True, False]


def test_the_end_says_what_was_counted():
    async def main():
        party = Party()
        await party.session.close()
        assert party.stream.closed
        assert party.session.sink is party.stream
        assert [event.counters for event in party.notes.of(MediaStatistics)] == [
            party.session.statistics()
        ]

    run(main)


def test_a_key_of_dtls_is_never_told_in_a_description():
    async def main():
        caller, callee = Party(20000), Party(30000)
        connect(caller, callee)
        peer = DtlsPeer((Fingerprint("sha-256", bytes(32)),), "active")
        secret = callee.session.negotiated.tx_key
        callee.session.negotiated = replace(callee.session.negotiated, dtls=peer)
        callee.session.answer(caller.session.offer())
        assert len(callee.session.negotiated.tx_key) == len(secret)
        assert callee.session.negotiated.tx_key != secret

    run(main)


@each_engine
def test_a_caller_who_moves_to_another_telephone_is_heard_until_that_has_its_keys(engine_type):
    async def main():
        loop = asyncio.get_running_loop()
        engine, pool = engine_type(loop), PortPool("127.0.0.1", 0, 0, clock=loop.time)
        config = MediaConfig("127.0.0.1", srtp="required", keying="dtls")
        caller, ours, other = (MediaSession(engine, pool, config) for _ in range(3))
        caller.accept(ours.answer(caller.offer()))
        await asyncio.sleep(1)
        first = ours.answer(caller.offer())
        assert b"tls-id" in first
        answer = ours.answer(other.offer())
        assert line(answer, b"a=tls-id") != line(first, b"a=tls-id")
        heard = ours.statistics()["received"], caller.statistics()["received"]
        await asyncio.sleep(1)
        counts = ours.statistics()["received"], caller.statistics()["received"]
        assert all(now >= before + 45 for now, before in zip(counts, heard, strict=True))
        assert other.statistics()["received"] == 0
        other.accept(answer)
        await asyncio.sleep(1)
        assert other.statistics()["received"] > 20
        assert ours.statistics()["received"] > counts[0] + 40
        caller.sink.write(np.full(800, 6000, np.int16))
        for session in (caller, ours, other):
            await session.close()

    run(main)


def line(description, name):
    """Give the one line of a description that begins so."""
    [found] = [text for text in description.splitlines() if text.startswith(name)]
    return found


def test_a_peer_that_restarts_its_ice_gets_other_credentials_of_ours():
    async def main():
        party = Party(20000, srtp="required", keying="dtls")
        print_ = "sha-256 " + ":".join(["AA"] * 32)

        def offer(ufrag, password, candidate=""):
            return "\r\n".join(
                ["v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.9", "t=0 0",
                 "m=audio 4000 UDP/TLS/RTP/SAVP 0", f"a=fingerprint:{print_}", "a=setup:actpass",
                 "a=rtcp-mux", f"a=ice-ufrag:{ufrag}", f"a=ice-pwd:{password}", candidate]
            ).strip().encode() + b"\r\n"  # fmt: skip

        def credentials(answer):
            return line(answer, b"a=ice-ufrag"), line(answer, b"a=ice-pwd")

        first = credentials(party.session.answer(offer("themthem", "p" * 22)))
        again = offer("themthem", "p" * 22, "a=candidate:1 1 UDP 1 192.0.2.9 4000 typ host")
        assert credentials(party.session.answer(again)) == first
        second = credentials(party.session.answer(offer("anewanew", "q" * 22)))
        assert not set(first) & set(second)
        assert credentials(party.session.offer()) == second
        await party.session.close()

    run(main)
