"""Two peers that speak different codecs, one of whom is asked for G.711."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from opensip.errors import NegotiationError, OpenSipError, TransactionTimeout
from opensip.media import accord
from opensip.media.accord import End, codec_of
from opensip.media.recorder import Recorder
from tests.fakes.engines import each_engine
from tests.fakes.parties import share, voice
from tests.fakes.unlike_peers import PLAIN, WIDE, first, heard, longest_silence, with_call

PATIENCE = 0.4  # seconds, in place of many
LAW = ("PCMA",)


class Refused(OpenSipError):
    """The answer to a re-INVITE."""

    def __init__(self, status, words="Not Acceptable Here"):
        super().__init__(f"{status} {words}")
        self.sip_status = status


HUMAN_ASKED = ("batches", "PCMU and G722", "the target is asked for PCMU or PCMA by re-INVITE")
CALLER_ASKED = ("batches", "G722 and PCMU", "the caller is asked for PCMU or PCMA by re-INVITE")


@each_engine
def test_the_human_agrees_and_nothing_is_missed_meanwhile(engine_type):
    @with_call(engine_type, PLAIN, WIDE, 0.5)
    async def check(it):
        assert it.told == [HUMAN_ASKED]
        await asyncio.sleep(0.1)
        it.caller.sink.write(voice(2, 400, it.caller.sink.rate))
        it.human.sink.write(voice(2, 700, it.human.sink.rate))
        await asyncio.sleep(2.5)
        assert it.told[1:] == [("engine", "PCMU and PCMU", "the target agreed by re-INVITE")]
        assert it.asked == [(it.two, False)]
        for session, hertz in ((it.human, 400), (it.caller, 700)):
            samples, rate = heard(session), session.rate
            assert longest_silence(samples, rate) < 0.1
            end = np.flatnonzero(np.abs(samples.astype(int)) > 500)[-1]
            assert share(samples[end - rate // 2 : end - rate // 8], hertz, rate) > 0.9
        old, new = it.before[1], it.two.negotiated
        assert (new.suite, new.tx_key, new.rx_key) == (old.suite, old.tx_key, old.rx_key)


@each_engine
def test_the_caller_is_asked_where_it_is_the_one_that_speaks_wideband(engine_type):
    @with_call(engine_type, WIDE, ("PCMU",), 0.5)
    async def check(it):
        assert it.told == [CALLER_ASKED]
        await asyncio.sleep(1)
        assert it.told[1:] == [("engine", "PCMU and PCMU", "the caller agreed by re-INVITE")]
        assert it.asked == [(it.one, False)]


@each_engine
def test_a_human_who_may_speak_wideband_too_is_asked_not_to(engine_type):
    """RFC 3264 section 7: any codec of its answer may come."""

    @with_call(engine_type, PLAIN, ("PCMU",), 0.1)
    async def check(it):
        assert it.told == [("engine", "PCMU and PCMU", "both speak G.711")]
        it.two.accept(it.human.answer(it.two.offer()).replace(b"0 101", b"0 9 101"))
        assert it.told[1:] == [("batches", "PCMU and PCMU", HUMAN_ASKED[2])]
        await asyncio.sleep(0.5)
        assert it.told[2:] == [("engine", "PCMU and PCMU", "the target agreed by re-INVITE")]


@each_engine
def test_either_law_does_and_that_of_the_other_comes_first(engine_type):
    @with_call(engine_type, LAW, WIDE, 0.1)
    async def check(it):
        assert it.told[0][2] == "the target is asked for PCMA or PCMU by re-INVITE"
        await asyncio.sleep(0.5)
        assert it.told[-1][:2] == ("engine", "PCMA and PCMA")


@each_engine
def test_what_the_peer_has_not_offered_is_not_asked_for(engine_type):
    @with_call(engine_type, ("G722", "PCMA"), ("PCMU",), 0.1)
    async def check(it):
        assert it.told[0][2] == "the caller is asked for PCMA by re-INVITE"
        await asyncio.sleep(0.5)
        assert it.told[-1][:2] == ("engine", "PCMA and PCMU")


@each_engine
@pytest.mark.parametrize(
    ("caller", "human", "ours", "why"),
    [
        (WIDE, WIDE, WIDE, "both may speak wideband"),
        (("G722",), PLAIN, WIDE, "the caller has no G.711 for us"),
    ],
)
def test_where_nothing_is_to_be_won_nobody_is_asked(engine_type, caller, human, ours, why):
    @with_call(engine_type, caller, human, ours=ours)
    async def check(it):
        await asyncio.sleep(0.5)
        assert [told[0::2] for told in it.told] == [("batches", why)]
        assert it.asked == []


@each_engine
def test_where_a_trunk_forbids_it_nobody_is_asked(engine_type):
    @with_call(engine_type, PLAIN, WIDE, change_codec=False)
    async def check(it):
        assert it.told == [
            ("batches", "PCMU and G722", "the target is not asked for G.711: change_codec is false")
        ]
        await asyncio.sleep(0.1)
        assert it.asked == []


def test_engines_of_their_own_cannot_be_helped():
    class Of:
        negotiated = None

        def __init__(self, engine):
            self.engine = engine

    ends = [End(Of(engine), lambda: True, None) for engine in "ab"]
    assert accord.propose(*ends) == "each is in an engine of its own"
    assert accord.propose(ends[0], replace(ends[0])) == "nothing is agreed on yet"
    assert codec_of(ends[0].session) == ""


@each_engine
@pytest.mark.parametrize(
    ("error", "why"),
    [
        (Refused(488), "the target refused a re-INVITE: 488 Not Acceptable Here"),
        (Refused(491, "Request Pending"), "the target refused a re-INVITE: 491 Request Pending"),
        (TransactionTimeout("408"), "the target refused a re-INVITE: 408"),
        (None, f"the target did not answer a re-INVITE within {PATIENCE:g} s"),
    ],
)
def test_who_will_not_is_heard_as_before(engine_type, monkeypatch, error, why):
    monkeypatch.setattr(accord, "PATIENCE", PATIENCE)

    @with_call(engine_type, PLAIN, WIDE, *([error] if error else []))
    async def check(it):
        await asyncio.sleep(0.1 if error else PATIENCE + 0.1)
        assert it.told[1:] == [("batches", "PCMU and G722", why)]
        it.caller.sink.write(voice(1, 400, it.caller.sink.rate))
        await asyncio.sleep(1.5)
        assert longest_silence(heard(it.human), it.human.rate) < 0.1
        assert it.two.spoken.formats == it.two.spoken.all
        it.human.accept(it.two.answer(it.human.offer()))
        await asyncio.sleep(0.1)
        assert len(it.asked) == 1  # nobody is asked twice


@each_engine
def test_an_answer_that_comes_after_all_is_taken(engine_type, monkeypatch):
    monkeypatch.setattr(accord, "PATIENCE", PATIENCE)

    @with_call(engine_type, PLAIN, WIDE)
    async def check(it):
        await asyncio.sleep(PATIENCE + 0.1)
        it.two.accept(it.human.answer(first(it.two.offer(), "PCMU")))
        assert it.told[-1] == ("engine", "PCMU and PCMU", "the target agreed by re-INVITE")


@each_engine
@pytest.mark.parametrize("again", [0.1, Refused(488)])
def test_after_an_answer_that_cannot_be_used_what_stood_is_offered(engine_type, again):
    unusable = NegotiationError("the answer refuses the audio")

    @with_call(engine_type, PLAIN, WIDE, unusable, again)
    async def check(it):
        await asyncio.sleep(0.5)
        assert it.asked == [(it.two, False), (it.two, True)]
        _, _, why = it.told[-1]
        assert why.startswith("the target answered a re-INVITE with what cannot be used")
        assert codec_of(it.two) in ("G722", "PCMU")


@each_engine
def test_who_hangs_up_meanwhile_leaves_the_books_alone(engine_type):
    @with_call(engine_type, PLAIN, WIDE, Refused(481))
    async def check(it):
        await asyncio.sleep(0.1)
        assert it.told == [HUMAN_ASKED]


@each_engine
def test_apart_again_nothing_comes_of_it(engine_type):
    @with_call(engine_type, PLAIN, WIDE, 1.0)
    async def check(it):
        await asyncio.sleep(0.5)
        it.joint.end()
        await asyncio.sleep(1)
        assert it.told == [HUMAN_ASKED]
        assert it.two.spoken.formats == it.two.spoken.all


@each_engine
def test_hold_and_refreshes_of_the_peer_keep_what_was_agreed(engine_type):
    @with_call(engine_type, PLAIN, WIDE, 0.1)
    async def check(it):
        await asyncio.sleep(0.5)
        it.human.direction = "sendonly"
        it.human.accept(it.two.answer(it.human.offer()))
        assert it.is_native
        it.human.direction = "sendrecv"
        it.human.accept(it.two.answer(it.human.offer()))
        it.two.direction = "sendonly"  # and ours
        it.human.answer(offer := it.two.offer())
        assert b"G722" not in offer
        assert it.is_native
        it.human.accept(it.two.answer(first(it.human.offer(), "G722")))  # it insists
        assert it.told[-1] == ("batches", "PCMU and G722", "a peer has changed its codec since")


@each_engine
def test_a_whisper_a_recording_and_keys_live_through_it(engine_type, tmp_path):
    @with_call(engine_type, PLAIN, WIDE, 1.0)
    async def check(it):
        keyed = []
        it.human.on_dtmf = lambda dtmf: keyed.append(dtmf.digit)
        carrying = asyncio.ensure_future(carry(it))
        it.one.record_to(Recorder(tmp_path / "call.wav"))
        it.caller.sink.write(voice(3, 400, it.caller.sink.rate))
        it.two.sink.write(voice(2.5, 1000, it.two.sink.rate))
        await asyncio.sleep(0.3)
        for digit in "1234":
            await it.caller.send_digits(digit)
            await asyncio.sleep(0.45)
        await asyncio.sleep(1)
        assert it.is_native
        assert keyed == list("1234")
        assert longest_silence(heard(it.human), it.human.rate) < 0.25
        carrying.cancel()

    both = np.frombuffer((tmp_path / "call.wav").read_bytes()[44:], "<i2").reshape(-1, 2)
    assert longest_silence(both[:, 0], 16000) < 0.25


async def carry(it):
    """Send on what the caller keys, as a leg and a bridge do, where the engine does not."""
    keyed = asyncio.Queue()

    def take(dtmf):
        if not it.joint.carries_keys(it.one):
            keyed.put_nowait(dtmf.digit)

    it.one.on_dtmf = take
    while True:
        await it.two.send_digits(await keyed.get())


@each_engine
@pytest.mark.parametrize("before", [-0.02, 0.02, 0.03, 0.05, 0.12, 0.2])
def test_a_key_pressed_while_the_way_changes_comes_once(engine_type, before):
    @with_call(engine_type, PLAIN, WIDE, 0.4)
    async def check(it):
        keyed = []
        it.human.on_dtmf = lambda dtmf: keyed.append(dtmf.digit)
        carrying = asyncio.ensure_future(carry(it))
        await asyncio.sleep(0.4 - before)
        await it.caller.send_digits("5")
        await asyncio.sleep(0.5)
        assert it.is_native
        assert keyed == ["5"]
        carrying.cancel()
