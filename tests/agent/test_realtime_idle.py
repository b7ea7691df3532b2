"""A caller of a realtime agent who says nothing: is asked, asked again, and the call ends."""

import asyncio
import dataclasses

import pytest

from opensip.agent import live
from opensip.agent.outcome import Hangup
from opensip.audio.tones import tone
from tests.fakes.live import FakeLive
from tests.fakes.realtime_scene import AGENT, Scene, run, said

PROMPTS = dataclasses.replace(
    AGENT, idle_prompts=("Hello, {caller}?", "Still there?"), replies={"nobody": "Bye then."}
)


class Obedient(FakeLive):
    """Says what its notes say, a tenth of a second for each; keeps when it was asked."""

    def __init__(self, *args, **more):
        super().__init__(*args, begin=said("a", "Hello.", 0.5), **more)
        self.at = []

    def note(self, text):
        super().note(text)
        self.at.append(asyncio.get_running_loop().time())

    def go_on(self):
        super().go_on()
        name = f"n{len(self.at)}"
        words = self.done[-2][1].rpartition(": ")[2].rstrip(")")
        self.tell(*said(name, words, 0.5))


def test_a_silent_caller_is_asked_twice_and_then_the_call_ends():
    async def main():
        fake = Obedient()
        scene = Scene(fake, agent=PROMPTS)
        scene.start()
        return await scene.end(), scene, fake

    outcome, scene, fake = run(main())
    assert outcome == Hangup("the caller was silent")
    assert fake.at == pytest.approx([8.5, 17.0, 25.5], abs=0.3)
    assert [words for words, _ in scene.heard()] == [
        "Hello.", "Hello, alice?", "Still there?", "Bye then.",
    ]  # fmt: skip


def test_who_speaks_again_is_asked_from_the_beginning():
    async def main():
        fake = Obedient()
        scene = Scene(fake, agent=PROMPTS)
        scene.start()
        await asyncio.sleep(20)
        scene.line.speak(tone(300, 1.5, 8000, level_dbfs=-20))
        await asyncio.sleep(0.3)
        fake.tell(live.Began())
        await asyncio.sleep(2)
        fake.tell(live.Ended(), *said("b", "Here you are.", 0.5))
        await asyncio.sleep(10)
        scene.line.hang_up()
        await scene.end()
        return fake

    fake = run(main())
    notes = [done[1] for done in fake.done if done[0] == "note"]
    assert "Hello, alice?" in notes[2]
    assert len(notes) == 3


def test_silence_on_hold_and_of_a_bot_means_nothing():
    async def main():
        fake = Obedient()
        scene = Scene(fake, agent=PROMPTS)
        scene.start()
        scene.session.hold(True)
        await asyncio.sleep(30)
        on_hold = list(fake.at)
        scene.session.hold(False)
        await asyncio.sleep(9)
        scene.line.hang_up()
        await scene.end()
        bot = Obedient(patience=None)
        scene = Scene(bot, agent=PROMPTS)
        scene.start()
        await asyncio.sleep(30)
        scene.line.hang_up()
        await scene.end()
        return on_hold, fake.at, bot.at

    on_hold, after, bot = run(main())
    assert (on_hold, bot) == ([], [])
    assert after == pytest.approx([38.0], abs=0.3)


def test_a_service_that_does_not_say_its_goodbye_ends_the_call_all_the_same():
    class Mute(Obedient):
        def go_on(self):
            if len(self.at) < 3:
                super().go_on()

    async def main():
        scene = Scene(Mute(), agent=PROMPTS)
        scene.start()
        return await scene.end(), scene.heard()

    outcome, heard = run(main())
    assert outcome == Hangup("the caller was silent")
    assert heard[-1][0] == "Goodbye."
