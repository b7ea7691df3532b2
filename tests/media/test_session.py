import asyncio
from dataclasses import replace

import numpy as np
import pytest

from opensip.audio.frame import AudioFrame
from opensip.errors import LocalProtocolError, NegotiationError
from opensip.events import (
    Held,
    MediaNegotiated,
    MediaStatistics,
    RecordingPaused,
    RecordingResumed,
)
from opensip.media.ports import PortPool
from opensip.media.recorder import Recorder
from opensip.media.session import MediaConfig, MediaSession
from opensip.sdp.fingerprint import DtlsPeer, Fingerprint
from tests.fakes.engines import each_engine
from tests.fakes.media_party import Party
from tests.fakes.parties import connect, run


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


def test_a_pause_holds_whether_or_not_anything_is_recorded(tmp_path):
    async def main():
        party = Party()
        party.session.record(False)  # before the recording, or without one
        recorder = Recorder(tmp_path / "call.wav")
        party.session.record_to(recorder)
        heard = AudioFrame(0.0, np.full(800, 3, np.int16), 8000, -60.0)
        party.stream.hear(heard, said=np.full(800, 4, np.int16), said_at=0.0)
        recorder.close(now=0.1)  # as a full disk does
        party.session.record(True)
        party.session.record(False)
        await party.session.close()
        kinds = (RecordingPaused, RecordingResumed)
        noted = [type(event) for event in party.notes if isinstance(event, kinds)]
        assert noted == [RecordingPaused, RecordingResumed, RecordingPaused]
        return np.frombuffer(recorder.path.read_bytes()[44:], "<i2")

    assert set(run(main).tolist()) == {0}


def test_the_end_says_what_was_counted():
    async def main():
        party = Party()
        await party.session.close()
        assert party.stream.closed
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
