"""A caller, an agent that transfers it, and a desk, over loopback sockets in one loop."""

import asyncio
from ipaddress import ip_network

import pytest

from opensip.audio.tones import tone
from opensip.call.handoff import Handoff
from opensip.errors import NotAllowed, ProviderError
from opensip.net.sip_transport import Listener
from opensip.phone.caller import NOTHING, WRONG, Caller, CallerConfig, refuse_emergency
from opensip.phone.desk import Desk
from opensip.phone.hearing import Hearing
from opensip.phone.line import Line, LineConfig
from opensip.phone.script import Keys, Say, Wait
from opensip.phone.understanding import Answer
from opensip.sip.uri import NameAddr, Uri
from opensip.ua.admission import TrunkAdmission

pytestmark = pytest.mark.e2e

LOCAL = "127.0.0.1"
ANYONE = TrunkAdmission("any", networks=(ip_network("127.0.0.0/8"),), trusted=True)
HANDOFF = Handoff("c-1", "order_status", 0.9, "wants a person", ("caller: hello",), {"order": "1"})


class Reports(list):
    def __call__(self, what, **details):
        self.append((what, details))

    def named(self, name):
        return [details for what, details in self if what == name]


async def speak(text, rate):
    return tone(440, 0.3, rate)


def config(uri, *steps, **more):
    from_ = NameAddr.parse("<sip:caller@127.0.0.1>")
    return CallerConfig(Uri.parse(uri), from_, steps, **{"linger": 0.5, "patience": 0.5, **more})


class Agent:
    """Answers, speaks after each turn, and transfers the caller to `target` in the end."""

    def __init__(self, target):
        self.target = target
        self.supported = ()
        self.progress = []
        self.line = Line(
            LineConfig(LOCAL, listeners=(Listener("UDP", LOCAL, 0),)),
            admitted=(ANYONE,),
            on_call=self.take,
        )

    async def take(self, call):
        self.supported = call.request.headers.values("Supported")
        media = self.line.media()
        session = await call.answer(media)
        media.sink.write(await speak("hello", media.sink.rate))
        await media.sink.drained()
        if self.target:
            async for progress in session.refer(HANDOFF.refer_to(self.target)):
                self.progress.append((progress.way, progress.status))
            await session.bye()
        else:
            await session.wait_ended()
        await media.close()


class Answering(Agent):
    """Says something whenever the caller has."""

    async def take(self, call):
        media = self.line.media()
        session = await call.answer(media)
        hearing = Hearing(media.source, asyncio.get_running_loop().time)
        listening = asyncio.create_task(hearing.listen())
        ended = asyncio.create_task(session.wait_ended())
        while not ended.done():
            media.sink.write(await speak("well", media.sink.rate))
            turn = asyncio.create_task(hearing.turn(patience=5))
            await asyncio.wait({turn, ended}, return_when=asyncio.FIRST_COMPLETED)
            turn.cancel()
        listening.cancel()
        await media.close()


def said_by_a_caller_who_understands(step, *answers):
    """Let a caller take one step, and make of each answer what is given; return its words."""
    left = list(answers)

    async def understand(samples, rate, *, said):
        assert said == step.text
        assert len(samples) >= 0.3 * rate
        match left.pop(0):
            case ProviderError() as error:
                raise error
            case answer:
                return answer

    mine = Reports()

    async def main():
        listeners = (Listener("UDP", LOCAL, 0),)
        agent = Answering("")
        async with agent.line, Line(LineConfig(LOCAL, listeners=listeners)) as line:
            calling = config(place(agent.line.endpoint), step, patience=3)
            caller = Caller(line, calling, speak=speak, report=mine, understand=understand)
            await caller.run()
        assert not left
        return [details["text"] for details in mine.named("said")]

    return run(main()), [details["words"] for details in mine.named("made_out")]


def run(main):
    return asyncio.run(asyncio.wait_for(main, 20))


def place(endpoint):
    _, host, port = endpoint.bound[0]
    return f"sip:agent@{host}:{port}"


async def desk_and_agent(use, *, busy=False, there=True):
    reports = Reports()
    listeners = (Listener("UDP", LOCAL, 0),)
    desk = Desk(
        LineConfig(LOCAL, listeners=listeners), ANYONE, speak=speak, report=reports, busy=busy
    )
    async with desk.line:
        agent = Agent(place(desk.line.endpoint) if there else "")
        async with agent.line:
            calling = LineConfig(LOCAL, listeners=listeners)
            async with Line(calling) as line:
                mine = Reports()
                result = await use(line, place(agent.line.endpoint), mine)
                return agent, reports, mine, result


def test_speaks_keys_waits_and_hangs_up():
    async def use(line, uri, mine):
        steps = (Say("hello"), Keys("12"), Wait(0.1))
        return await Caller(line, config(uri, *steps), speak=speak, report=mine).run()

    _, _, mine, result = run(desk_and_agent(use, there=False))
    assert (result.answered, result.status, result.transferred_to) == (True, 200, "")
    assert mine.named("said") == [{"text": "hello"}]
    assert mine.named("keyed") == [{"digits": "12"}]
    assert result.ended_by == "local"


def test_what_was_not_understood_is_said_in_other_words_and_who_cannot_hear_goes_on():
    step = Say("a person", ("an agent", "someone"))
    missed, deaf = Answer(misunderstood=True), ProviderError("no decoder", provider="embedded")
    said, made_out = said_by_a_caller_who_understands(step, missed, deaf)
    assert said == ["a person", "an agent"]
    assert made_out == [NOTHING]


def test_a_number_that_is_read_back_wrong_is_corrected():
    step = Say("three eight six four", ("three, eight, six, four",))
    heard = Answer(digits="3884", text="i heard three eight eight four")
    said, made_out = said_by_a_caller_who_understands(step, heard, Answer())
    assert made_out == ["i heard three eight eight four", NOTHING]
    assert said == ["three eight six four", WRONG, "three, eight, six, four"]


def test_another_number_offered_after_a_no_is_taken_if_it_is_right():
    step = Say("three eight six four", ("three, eight, six, four",))
    wrong, right = Answer(digits="3884", text="wrong"), Answer(digits="3864", text="right")
    said, made_out = said_by_a_caller_who_understands(step, wrong, right)
    assert made_out == ["wrong", "right"]
    assert said == ["three eight six four", WRONG]


def test_is_transferred_and_the_desk_reads_the_context():
    async def use(line, uri, mine):
        return await Caller(line, config(uri, linger=5), speak=speak, report=mine).run()

    agent, desk, mine, result = run(desk_and_agent(use))
    assert result.transferred_to.startswith("sip:agent@127.0.0.1:")
    assert "replaces" in agent.supported  # so that a transfer may name a call to take over
    assert [status for _, status in agent.progress][-1] == 200
    [context] = desk.named("called")
    assert context["intent"] == "order_status"
    assert context["summary"] == "wants a person"
    assert context["transcript"] == ["caller: hello"]
    assert context["fields"] == {"order": "1"}
    assert desk.named("ended")[0]["by"] == "remote"
    assert mine.named("transferred")


def test_a_desk_that_is_busy_is_reported_to_the_agent():
    async def use(line, uri, mine):
        return await Caller(line, config(uri, linger=2), speak=speak, report=mine).run()

    agent, _, mine, result = run(desk_and_agent(use, busy=True))
    assert result.transferred_to == ""
    assert agent.progress[-1] == ("notify", 486)
    assert mine.named("transfer_failed")[0]["status"] == 486


def test_a_refusal_is_a_result():
    async def use(line, uri, mine):
        caller = Caller(
            line, config("sip:nobody@127.0.0.1:9", ring_timeout=0.3), speak=speak, report=mine
        )
        return await caller.run()

    _, _, mine, result = run(desk_and_agent(use, there=False))
    assert not result.answered
    assert mine.named("refused")[0]["status"] in (408, 503)


def test_an_emergency_number_is_refused():
    with pytest.raises(NotAllowed, match="reaches emergency services"):
        refuse_emergency("sip:911@192.0.2.1")
