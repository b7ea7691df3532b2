import asyncio
from dataclasses import replace

import pytest

from opensip.agent.outcome import CallerLeft, Escalate, Hangup
from opensip.call.call import Call, Ending, Terms
from opensip.call.handoff import read_headers
from opensip.sip.refer_usage import ReferProgress
from opensip.ua.call_failed import CallFailed
from tests.fakes.legs import FakeLeg, FakeReferral, Noted
from tests.fakes.talkers import FakeTalker
from tests.fakes.virtual_time_loop import VirtualTimeLoop

ACCEPTED = (0.1, ReferProgress("refer", 202, False))
TAKEN = [ACCEPTED, (5.0, ReferProgress("notify", 200, True))]
BUSY = [ACCEPTED, (5.0, ReferProgress("notify", 486, True))]
SILENT = [ACCEPTED, (30.0, ReferProgress("notify", 0, True))]
GONE = [ACCEPTED, (5.0, ReferProgress("bye", 200, True))]
DESK = Escalate("desk", "person", 0.75, "Wants a person", "asked for a person")
TERMS = Terms("c-1", {"desk": "sip:desk@pbx", "police": "911"}, max_seconds=600.0)


def run_call(progress=(), *outcomes, terms=TERMS, meanwhile=None):
    async def main():
        loop = asyncio.get_running_loop()
        leg, agent, noted = FakeLeg(progress), FakeTalker(*outcomes), Noted()
        if meanwhile is not None:
            at, do = meanwhile
            loop.call_later(at, do, leg)
        call = Call(leg, agent, terms, observer=noted, now=loop.time)
        ending = await call.run()
        return ending, leg, agent, noted, loop.time()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def test_the_agent_hangs_up_once_its_last_words_are_heard():
    ending, *_, at = run_call((), (3.0, Hangup("goodbye")))
    assert (ending, at) == (Ending("agent", "goodbye"), 3.0)


def test_the_caller_hangs_up():
    ending, *_, at = run_call((), meanwhile=(7.0, FakeLeg.end))
    assert (ending, at) == (Ending("caller", "bye"), 7.0)


def test_an_agent_that_noticed_first_waits_for_the_end_of_the_leg():
    ending, *_ = run_call((), (1.0, CallerLeft()), meanwhile=(7.0, FakeLeg.end))
    assert ending == Ending("caller", "bye")


def test_the_longest_call_is_ended():
    ending, *_, at = run_call(())
    assert (ending, at) == (Ending("us", "maximum length"), 600.0)


def test_an_agent_that_has_talked_long_enough_says_goodbye():
    terms = replace(TERMS, agent_seconds=60.0, farewell="Goodbye.")
    ending, _, agent, _, at = run_call((), terms=terms)
    assert (ending, at) == (Ending("agent", "maximum length"), 60.0)
    assert agent.said == ["Goodbye."]


def test_the_time_until_a_transfer_failed_counts_but_not_the_time_with_a_human():
    terms = replace(TERMS, agent_seconds=20.0, farewell="Goodbye.")
    ending, _, agent, _, at = run_call(SILENT, (1.0, DESK), terms=terms)
    assert (ending, agent.said) == (Ending("agent", "maximum length"), ["Goodbye."])
    ending, *_, at = run_call(TAKEN, (19.0, DESK), terms=terms)
    assert (ending.cause, at > 20.0) == ("transferred", True)


def test_a_time_limit_of_the_agents_own_is_its_failure():
    terms = replace(TERMS, agent_seconds=60.0, farewell="Goodbye.", directory={})
    ending, _, agent, *_ = run_call((), (1.0, TimeoutError()), terms=terms)
    assert (ending.cause, agent.said) == ("agent failed", [])


def test_a_transfer_that_works_ends_the_call():
    ending, leg, agent, noted, _ = run_call(TAKEN, (1.0, DESK))
    assert ending == Ending("us", "transferred", 200)
    assert agent.failures == []
    assert noted.kinds[0] == "transfer_started"
    refer_to, headers = leg.refers[0]
    assert refer_to.startswith("<sip:desk@pbx?User-to-User=")
    context = read_headers(headers)
    assert (context.call_id, context.intent, context.summary) == ("c-1", "person", "Wants a person")
    assert context.transcript == ("caller: a person please",)
    assert context.fields == {"order": "4711"}


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (BUSY, "I am sorry, the line is busy."),
        (SILENT, "I am sorry, I could not find out whether somebody took your call."),
        ([(0.1, ReferProgress("refer", 603, True))], "I am sorry, your call was declined."),
        ([(0.1, ReferProgress("refer", 405, True))], "I am sorry, the transfer did not work."),
        ([ACCEPTED, (1.0, ReferProgress("notify", 480, True))], "I am sorry, nobody answered."),
        (
            [ACCEPTED, (1.0, ReferProgress("notify", 404, True))],
            "I am sorry, that number cannot be reached.",
        ),
    ],
)
def test_a_transfer_that_fails_gives_the_caller_back_to_the_agent(progress, words):
    ending, _, agent, noted, _ = run_call(progress, (1.0, DESK), (2.0, Hangup("goodbye")))
    assert ending == Ending("agent", "goodbye")
    assert agent.failures == [words]
    assert noted.kinds[-1] == "transfer_ended"


def test_a_bye_before_the_final_notify_is_a_transfer_that_worked():
    ending, *_ = run_call(GONE, (1.0, DESK))
    assert ending == Ending("us", "transferred", 200)


def test_a_caller_who_leaves_a_silent_transfer_has_left():
    ending, *_, at = run_call(SILENT, (1.0, DESK), meanwhile=(4.0, FakeLeg.end))
    assert (ending, at) == (Ending("caller", "bye"), 5.0)


def test_a_peer_that_sends_no_rtp_while_it_asks_the_desk_is_not_lost():
    taken_late = [ACCEPTED, (20.0, ReferProgress("notify", 200, True))]
    silence = (16.0, FakeLeg.fall_silent)
    ending, leg, *_, at = run_call(taken_late, (1.0, DESK), meanwhile=silence)
    assert (ending, at) == (Ending("us", "transferred", 200), pytest.approx(21.1))
    assert not leg.excused


def test_a_peer_that_sends_no_rtp_once_the_transfer_has_failed_is_lost():
    silence = (10.0, FakeLeg.fall_silent)
    ending, *_, at = run_call(BUSY, (1.0, DESK), (60.0, Hangup("bye")), meanwhile=silence)
    assert (ending.side, at) == ("lost", 10.0)


def test_the_caller_hears_the_hold_tone_without_a_gap_until_the_transfer_ends():
    _, leg, *_ = run_call(BUSY, (1.0, DESK), (2.0, Hangup("goodbye")))
    heard_to = 1.0
    for at, samples in leg.sink.written:
        assert at <= heard_to  # written before the last was played out
        heard_to += len(samples) / leg.sink.rate
    assert heard_to >= 6.1
    assert leg.sink.flushed > 0


@pytest.mark.parametrize("target", ["police", "nobody", "+19005551234"])
def test_what_the_directory_does_not_allow_is_never_referred_to(target):
    escalation = Escalate(target, "person", 0.5, "", "asked")
    ending, leg, agent, noted, _ = run_call(TAKEN, (1.0, escalation), (1.0, Hangup("bye")))
    assert leg.refers == []
    assert ending == Ending("agent", "bye")
    assert agent.failures == ["I am sorry, your call was declined."]
    assert noted.kinds == ["transfer_started", "transfer_ended"]
    assert noted.events[-1].outcome == "refused"


def test_an_agent_that_fails_leaves_the_caller_to_a_human():
    ending, leg, _, noted, _ = run_call(TAKEN, (1.0, RuntimeError("a tool broke")))
    assert ending == Ending("us", "transferred", 200)
    assert noted.kinds[:3] == ["fault", "escalated", "transfer_started"]
    assert len(leg.refers) == 1


@pytest.mark.parametrize("terms", [TERMS, Terms("c-1", {})])
def test_an_agent_that_fails_with_nobody_to_help_ends_the_call(terms):
    ending, *_ = run_call(BUSY, (1.0, RuntimeError("a tool broke")), terms=terms)
    assert ending == Ending("us", "agent failed")


def test_an_agent_that_asks_for_a_human_by_itself_is_not_asked_again():
    outcomes = [(1.0, DESK)] * 50
    ending, leg, agent, *_ = run_call(BUSY, *outcomes)
    assert ending == Ending("us", "agent failed")
    assert len(leg.refers) == 2
    assert len(agent.failures) == 1


def test_somebody_else_is_asked_where_a_transfer_was_futile():
    terms = replace(TERMS, directory={"desk": "sip:desk@pbx", "night": "sip:night@pbx"})
    ending, leg, _, noted, _ = run_call(BUSY, *[(1.0, DESK)] * 50, terms=terms)
    assert ending == Ending("us", "agent failed")
    assert [refer_to.split("?")[0] for refer_to, _ in leg.refers] == [
        "<sip:desk@pbx",
        "<sip:desk@pbx",
        "<sip:night@pbx",
    ]
    assert noted.of("escalated")[0].target == "night"


def test_a_caller_may_ask_for_a_human_as_often_as_he_likes():
    class Asked(FakeTalker):
        async def run(self):
            self.conversation.caller_said("a human", at=0.0)
            return await super().run()

    async def main():
        loop = asyncio.get_running_loop()
        agent = Asked(*[(1.0, DESK)] * 5, (1.0, Hangup("goodbye")))
        leg = FakeLeg(BUSY)
        call = Call(leg, agent, TERMS, observer=Noted(), now=loop.time)
        return await call.run(), len(leg.refers)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(main()) == (Ending("agent", "goodbye"), 5)


def test_last_words_that_are_never_played_do_not_hold_the_call():
    async def main():
        loop = asyncio.get_running_loop()
        leg = FakeLeg()
        leg.sink.drained = asyncio.Event().wait
        call = Call(leg, FakeTalker((0.0, Hangup("bye"))), TERMS, observer=Noted(), now=loop.time)
        return await call.run(), loop.time()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(main()) == (Ending("agent", "bye"), 30.0)


def test_an_agent_with_words_of_its_own_uses_them():
    terms = replace(TERMS, tells_why=False)
    _, _, agent, *_ = run_call(BUSY, (1.0, DESK), (2.0, Hangup("goodbye")), terms=terms)
    assert agent.failures == [""]


def test_a_caller_whom_a_human_passed_on_in_vain_is_the_agents_again():
    async def main():
        loop = asyncio.get_running_loop()
        human, agent = FakeLeg(), FakeTalker((1.0, DESK), (3.0, Hangup("goodbye")))

        async def refer():
            loop.call_later(1, human.end)
            await human.on_refer(FakeReferral("tel:+15551110000"))

        async def call_out(target, headers, progressed):
            if target.startswith("sip:desk"):
                loop.call_later(5, lambda: referring.append(loop.create_task(refer())))
                return human
            await asyncio.sleep(2)
            raise CallFailed(480, "not there")

        referring = []
        terms = replace(TERMS, strategies=("bridge",), refers=True)
        parts = {"observer": Noted(), "now": loop.time, "call_out": call_out}
        return await Call(FakeLeg(), agent, terms, **parts).run(), agent.failures

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        ending, failures = runner.run(main())
    assert ending == Ending("agent", "goodbye")
    assert len(failures) == 1
