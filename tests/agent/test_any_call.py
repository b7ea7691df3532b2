"""Whatever happens in a call, in whatever order: one voice at a time, each word heard once."""

import asyncio
import dataclasses
import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from opensip.agent.outcome import CallerLeft
from opensip.agent.providers import Brief, Providers, Understood
from opensip.agent.providers.scripted import ScriptedRecognizer
from opensip.agent.seat import Seat
from opensip.agent.session import AgentSession
from opensip.audio.tones import tone
from opensip.errors import ProviderError
from opensip.events import AgentSaid, CallerSaid, TurnDecided
from tests.fakes.chat_model import FakeChat
from tests.fakes.line import Line, Noted
from tests.fakes.live_recognizer import FakeLive
from tests.fakes.model_agent import AGENT, dialogue
from tests.fakes.virtual_time_loop import VirtualTimeLoop

AGENT = dataclasses.replace(
    AGENT,
    directory={},
    voice_activity="energy",
    greeting="Hello 1.",
    fillers=("Wait.",),
    must_be_heard=("must be heard",),
)
WORD = 0.3  # seconds
FINAL_LATE = (0.1, 0.4)


@dataclass(frozen=True)
class Speak:
    """The caller says words: told live as they come, final `late` seconds after the last."""

    words: int
    late: float
    sign: str
    over: bool
    backchannel: bool = False


@dataclass(frozen=True)
class Act:
    """Something else: "cough", "key", "hold", "back"."""

    what: str


ACTS = st.one_of(
    st.builds(Speak, st.integers(1, 6), st.sampled_from(FINAL_LATE), st.sampled_from(["", "."]),
              st.booleans()),
    st.builds(Speak, st.just(1), st.just(0.1), st.just(""), st.booleans(), st.just(True)),
    st.builds(Act, st.sampled_from(["cough", "key", "hold", "back"])),
)  # fmt: skip
PLANS = st.lists(st.tuples(st.floats(0.05, 4.0), ACTS), min_size=1, max_size=12)
ANSWERS = st.lists(
    st.sampled_from(["short", "long", "slow", "must", "fails"]), min_size=1, max_size=12
)


class Numbered:
    """A voice whose samples are the number in the clause it speaks, 0 where there is none."""

    rate = 8000

    async def speak(self, text):
        found = [int(word.strip(".,")) for word in text.split() if word.strip(".,").isdigit()]
        await asyncio.sleep(0.1)
        samples = np.full(len(text) * 400, found[0] if found else 0, np.int16)
        for start in range(0, len(samples), 4000):
            await asyncio.sleep(0.02)
            yield samples[start : start + 4000]


def answer(kind, number):
    text = {
        "short": ["Answer {n} is short."],
        "long": ["Answer {n} is long, and it goes on. ", "Answer {n} goes on for quite a while, "
                 "and on. ", "Answer {n} is at its end only now."],
        "slow": ["Answer {n} begins, ", 1.5, "answer {n} goes on late."],
        "must": ["Answer {n} must be heard. ", "Answer {n} ends here, and may be interrupted."],
        "fails": ["Answer {n} breaks off, ", ProviderError("gone", retryable=True)],
    }[kind]  # fmt: skip
    return [part.format(n=number) if isinstance(part, str) else part for part in text]


class Scene:
    """One call that goes as planned, and what came of it."""

    def __init__(self, plan, answers, *, is_live):
        loop = asyncio.get_running_loop()
        self.plan, self.is_live = plan, is_live
        self.line, self.noted, self.live = Line(), Noted(), FakeLive()
        self.names = (f"w{n}" for n in itertools.count())
        self.timers = []
        self.told = []  # final words, with the time at which they were told
        self.free = not any(isinstance(act, Act) and act.what != "cough" for _, act in plan)
        given = [answer(kind, n) for n, kind in enumerate(answers, start=2)]
        given += [answer("short", n) for n in range(len(given) + 2, 99)]
        turns = [Understood(f"turn t{n}.") for n in range(99)]
        brief = Brief(AGENT, "main")
        self.memory = brief.memory
        self.session = AgentSession(
            AGENT, Seat(source=self.line, sink=self.line, observer=self.noted, now=loop.time),
            providers=Providers(
                (self.live if is_live else ScriptedRecognizer(turns),),
                (dialogue(FakeChat(*given, delay=0.15), brief=brief),), (Numbered(),),
            ),
        )  # fmt: skip

    async def run(self):
        at = 0.5
        running = asyncio.create_task(self.session.run())
        for pause, act in self.plan:
            at += pause
            if isinstance(act, Speak):
                at = self._speak(act, at)
            else:
                self._at(at, self._do, act.what)
                at += 0.2
        self.end = at + 14
        self._at(self.end, self.line.hang_up)
        outcome = await running
        self.free = self.free and isinstance(outcome, CallerLeft)
        await self.session.close()
        for timer in self.timers:  # of what would have happened, had the call gone on
            timer.cancel()
        await asyncio.sleep(0)

    def _at(self, at, what, *more):
        self.timers.append(asyncio.get_running_loop().call_at(at, what, *more))

    def _do(self, what):
        match what:
            case "cough":
                self.line.speak(tone(300, 0.2, 8000, level_dbfs=-20))
            case "key":
                self.session.digit("7")
            case _:
                self.session.hold(what == "hold")

    def _speak(self, act, at):
        self._at(at, self.line.speak, tone(300, act.words * WORD, 8000, level_dbfs=-20))
        words = ["mhm"] if act.backchannel else [next(self.names) for _ in range(act.words)]
        end = at + act.words * WORD
        if self.is_live:
            for n in range(act.words):
                said = " ".join(words[: n + 1])
                self._at(at + (n + 1) * WORD + 0.1, lambda said=said: self.live.tell(said))
            final = " ".join(words) + act.sign
            self._at(
                end + max(act.late, 0.11),
                lambda: self.live.tell(final, final=True, over=act.over),
            )
            self.told += [] if act.backchannel else words
        return end + 0.45


def check(scene):
    """Assert what holds of every call."""
    played = scene.line.written[: scene.line.played()]
    heard = played[played > 0]
    runs = [int(number) for number, _ in itertools.groupby(heard)]
    assert len(runs) == len(set(runs)), "two answers were heard at a time"
    said = [word.strip(".") for e in scene.noted.of(CallerSaid) if e.way == "voice"
            for word in e.text.split()]  # fmt: skip
    said = [word for word in said if word[0] in "wt" and word[1:].isdigit()]
    assert len(said) == len(set(said)), "words were heard twice"
    if scene.is_live and scene.free:
        assert sorted(said) == sorted(scene.told)
    asked = " ".join(m["content"] or "" for m in scene.memory.messages if m["role"] == "user")
    for word in said:
        assert asked.replace(".", " ").split().count(word) == 1
    for event in scene.noted.of(AgentSaid):
        assert event.text.startswith(event.heard)
        for word in event.heard.split():
            if word.strip(".,").isdigit():
                assert int(word.strip(".,")) in runs, "what was not heard is in the history"
    assert all(event.why for event in scene.noted.of(TurnDecided))


def hold_call(plan, answers, is_live):
    async def main():
        scene = Scene(plan, answers, is_live=is_live)
        await scene.run()
        assert asyncio.all_tasks() == {asyncio.current_task()}, "tasks outlive the call"
        timers = [t for t in asyncio.get_running_loop()._scheduled if not t.cancelled()]
        assert timers == [], "timers outlive the call"
        return scene

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        check(runner.run(main()))


MHM = Speak(1, 0.1, "", over=False, backchannel=True)


@given(PLANS, ANSWERS, st.booleans())
@example(  # words over what must be heard, then a cough over what need not
    [(1.0, MHM), (2.0, dataclasses.replace(MHM, over=True)), (0.5, MHM),
     (0.5, Speak(1, 0.1, "", over=False)), (1.0, Act("cough"))],
    ["short", "fails", "must"], True,
)  # fmt: skip
@settings(max_examples=10, deadline=None)
def test_any_call(plan, answers, is_live):
    hold_call(plan, answers, is_live)


@pytest.mark.long
@pytest.mark.timeout(1200)
@given(PLANS, ANSWERS, st.booleans())
@settings(max_examples=1000, deadline=None)
def test_a_thousand_calls(plan, answers, is_live):
    hold_call(plan, answers, is_live)
