"""Whole calls between two sessions, tried on each engine."""

import asyncio
from contextlib import suppress

import numpy as np
import pytest

from opensip.audio.codecs import CODECS
from opensip.audio.tones import goertzel, tone
from opensip.events import Dtmf, Held, MediaQuality
from opensip.media.inbox import MOST_A_SECOND
from opensip.media.ports import PortPool
from opensip.rtp.payload import TELEPHONE_EVENT
from opensip.rtp.srtp import SUITES
from tests.fakes.engines import each_engine
from tests.fakes.parties import Party, connect, contains, only, rounded, run, voice

CATCH_UP = 10  # ticks


@each_engine
@pytest.mark.parametrize("suite", [*SUITES, ""])
def test_audio_goes_both_ways_to_the_sample(engine_type, suite):
    async def main():
        caller = Party(engine_type, srtp="required" if suite else "off")
        callee = Party(engine_type, srtp="required" if suite else "off")
        connect(caller, callee, only(suite) if suite else lambda offer: offer)
        assert callee.session.negotiated.suite == suite
        up, down = voice(0.25), voice(0.3, 700)
        assert caller.session.sink.write(up) == 0
        callee.session.sink.write(down)
        await caller.session.sink.drained()
        await callee.session.sink.drained()
        assert caller.session.sink.played() == len(up)
        await asyncio.sleep(0.2)
        assert contains(callee.heard(), rounded(up))
        assert contains(caller.heard(), rounded(down))
        for party in (caller, callee):
            assert not [name for name in party.counts if name.startswith("dropped")]
            await party.session.close()

    run(main)


@each_engine
def test_reports_go_both_ways_and_are_read(engine_type):
    async def main():
        caller, callee = Party(engine_type), Party(engine_type)
        connect(caller, callee)
        await asyncio.sleep(20)
        counts = caller.counts
        assert 2 <= counts["rtcp_sent"] <= 8
        assert 2 <= counts["rtcp_received"] <= 8
        assert counts["peer_lost"] == 0
        assert 0 <= counts["round_trip_ms"] < 50
        assert abs(counts["sent"] - 1000) <= 2
        assert abs(counts["received"] - 1000) <= 2
        assert counts["lost"] == 0
        measured = [event for event in caller.notes if isinstance(event, MediaQuality)]
        assert [round(event.at - measured[0].at) for event in measured] in (
            [0, 5, 10],
            [0, 5, 10, 15],
        )
        assert all(event.mos_in > 4.3 and event.loss_in == 0 for event in measured)
        assert any((event.mos_out or 0) > 4.3 and event.loss_out == 0 for event in measured)
        assert counts["mos_in"] > 4.3
        assert counts["mos_out"] > 4.3
        await caller.session.close()
        await asyncio.sleep(0.1)
        assert callee.counts["rtcp_received"] == counts["rtcp_sent"] + 1  # the goodbye
        await callee.session.close()

    run(main)


@each_engine
def test_digits_both_ways_once_each(engine_type):
    async def main():
        caller, callee = Party(engine_type), Party(engine_type)
        connect(caller, callee)
        caller.session.sink.write(voice(5))
        await asyncio.gather(
            caller.session.send_digits("12*#D"), callee.session.send_digits("7788")
        )
        await asyncio.sleep(0.2)
        assert "".join(n.digit for n in callee.notes if isinstance(n, Dtmf)) == "12*#D"
        assert "".join(n.digit for n in caller.notes if isinstance(n, Dtmf)) == "7788"
        await caller.session.close()
        await callee.session.close()

    run(main)


@each_engine
def test_hold_silences_one_way_and_resume_brings_it_back(engine_type):
    async def main():
        caller, callee = Party(engine_type), Party(engine_type)
        connect(caller, callee)
        await asyncio.sleep(0.2)
        caller.session.direction = "sendonly"
        connect(caller, callee)
        await asyncio.sleep(0.1)
        received = caller.counts["received"]
        callee.session.sink.write(voice(0.1))
        await asyncio.sleep(1)
        assert caller.counts["received"] == received
        assert callee.session.sink.queued() == 800
        caller.session.direction = "sendrecv"
        connect(caller, callee)
        caller.heard()
        await callee.session.sink.drained()
        await asyncio.sleep(0.1)
        assert contains(caller.heard(), rounded(voice(0.1)))
        assert [n.on for n in callee.notes if isinstance(n, Held)] == [True, False]
        assert caller.counts["lost"] == 0
        assert "dropped_forged" not in callee.counts  # the contexts lived on
        await caller.session.close()
        await callee.session.close()

    run(main)


@each_engine
def test_pause_flush_and_resume_are_at_once(engine_type):
    async def main():
        caller, callee = Party(engine_type), Party(engine_type)
        connect(caller, callee)
        sink = caller.session.sink
        sink.write(voice(2))
        await asyncio.sleep(0.5)
        sink.pause()
        played = sink.played()
        await asyncio.sleep(0.5)
        assert sink.played() == played
        assert played % 160 == 0
        assert sink.played() + sink.queued() == 16000
        sink.resume()
        await asyncio.sleep(0.1)
        assert 640 <= sink.played() - played <= 960
        waiting = asyncio.create_task(sink.drained())
        await asyncio.sleep(0)
        assert sink.flush() == 16000 - sink.played()
        await waiting
        assert sink.queued() == 0
        assert sink.write(voice(1)) == sink.played()
        await caller.session.close()
        await callee.session.close()

    run(main)


@each_engine
def test_a_closed_stream_lets_go_of_those_who_wait(engine_type):
    async def main():
        caller, callee = Party(engine_type), Party(engine_type)
        connect(caller, callee)
        caller.session.sink.write(voice(60))
        waiting = [
            asyncio.create_task(caller.session.sink.drained()),
            asyncio.create_task(caller.session.send_digits("1")),
        ]
        await asyncio.sleep(0.1)
        await caller.session.close()
        await asyncio.gather(*waiting)
        await callee.session.close()

    run(main)


@each_engine
def test_forged_packets_change_nothing(engine_type):
    async def main():
        caller, callee = Party(engine_type), Party(engine_type)
        connect(caller, callee)
        await asyncio.sleep(0.1)
        target = callee.session.address
        attacker = PortPool("127.0.0.1", 0, 0, clock=lambda: 0.0).take()
        plain = bytes.fromhex("80 00 00 01 00 00 00 a0 12 34 56 78") + b"\x11" * 160
        for n in range(400):
            with suppress(ConnectionRefusedError):  # the system's word to who is kept out
                attacker.rtp.sendto(plain[: n % 173], target)
            attacker.rtcp.sendto(b"\x80\xc8\x00\x06" + bytes(n % 40), (target[0], target[1] + 1))
            if n % 20 == 19:
                await asyncio.sleep(0.02)
        callee.heard()
        caller.session.sink.write(voice(0.2))
        await caller.session.sink.drained()
        await asyncio.sleep(0.1)
        assert contains(callee.heard(), rounded(voice(0.2)))
        dropped = {k: v for k, v in callee.counts.items() if k.startswith("dropped")}
        # of RTP what came before the peer's first, of RTCP what a port takes in a second
        assert MOST_A_SECOND <= sum(dropped.values()) <= MOST_A_SECOND + 20
        with pytest.raises((BlockingIOError, ConnectionRefusedError)):
            attacker.rtp.recv(2048)
        attacker.close()
        await caller.session.close()
        await callee.session.close()

    run(main)


@each_engine
def test_a_late_tick_is_made_up_for_and_a_stall_is_not(engine_type):
    async def main():
        loop = asyncio.get_running_loop()
        caller, callee = Party(engine_type), Party(engine_type)
        connect(caller, callee)
        await asyncio.sleep(1.001)
        sent = caller.counts["sent"]
        loop._clock.now += 0.06  # something held the loop up
        await asyncio.sleep(0.941)
        assert caller.counts["sent"] - sent == 50
        assert caller.engine.late_ticks == 2
        loop._clock.now += 2.0
        sent = caller.counts["sent"]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert caller.counts["sent"] - sent <= CATCH_UP + 1
        assert caller.engine.skipped_ticks == pytest.approx(100 - CATCH_UP, abs=2)
        assert callee.counts["jitter_ms"] < 50
        await caller.session.close()
        await callee.session.close()

    run(main)


def wide_voice(seconds, hz=5200):
    """A tone that no telephone carries."""
    return tone(hz, seconds, 16000)


@each_engine
@pytest.mark.parametrize("srtp", ["required", "off"])
@pytest.mark.parametrize("codec", ["G722", "opus"])
def test_wideband_goes_both_ways_with_digits_and_reports(engine_type, codec, srtp):
    pytest.importorskip("av", reason="the extra 'codecs' is not installed")

    async def main():
        caller, callee = (Party(engine_type, codecs=(codec, "PCMU"), srtp=srtp) for _ in range(2))
        connect(caller, callee)
        assert caller.session.negotiated.codec.encoding_name == codec
        assert caller.session.rate == caller.session.sink.rate == 16000
        said = wide_voice(1.0)
        assert caller.session.sink.write(said) == 0
        callee.session.sink.write(wide_voice(1.0, 700))
        await caller.session.sink.drained()
        assert caller.session.sink.played() == 16000
        await caller.session.send_digits("4*")
        await asyncio.sleep(6)
        for party, hz in ((callee, 5200), (caller, 700)):
            heard = party.heard()
            loudest = max(goertzel(piece, hz, 16000) for piece in np.array_split(heard[:16000], 5))
            assert loudest == pytest.approx(-16, abs=2)
        assert [note.digit for note in callee.notes if isinstance(note, Dtmf)] == ["4", "*"]
        for party in (caller, callee):
            counts = party.counts
            assert (counts["lost"], counts["peer_lost"]) == (0, 0)
            assert counts["jitter_ms"] < 1
            assert not [name for name in counts if name.startswith("dropped")]
            await party.session.close()

    run(main)


@each_engine
def test_a_call_moves_from_narrow_to_wide_and_back(engine_type):
    pytest.importorskip("av", reason="the extra 'codecs' is not installed")

    async def main():
        both = [Party(engine_type, codecs=("PCMU", "G722"), srtp="off") for _ in range(2)]
        caller, callee = both
        connect(caller, callee)
        for party in both:
            party.session.sink.write(tone(1000, 3.0, 16000))
        for codec, other in (("PCMU", "G722"), ("G722", "PCMU"), ("PCMU", "G722")):
            assert caller.session.negotiated.codec.encoding_name == codec
            await asyncio.sleep(1)
            for party in both:
                played = party.session.sink.played()
                assert played % 16000 <= 700 or played % 16000 >= 15300
                pieces = np.array_split(party.heard()[-8000:], 5)
                powers = [goertzel(piece, 1000, 16000) for piece in pieces[:-1]]
                assert powers == pytest.approx([-16] * 4, abs=1)
            for party in both:
                party.session.spoken.formats = (CODECS[other].format, TELEPHONE_EVENT)
            connect(caller, callee)
        for party in both:
            await party.session.close()

    run(main)
