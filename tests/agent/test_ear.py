import asyncio

import numpy as np
import pytest

from opensip.agent.ear import Ear
from opensip.agent.providers import Expectation, Understood
from opensip.agent.providers.scripted import ScriptedRecognizer
from opensip.agent.voice_activity import Voicing
from opensip.audio.frame import AudioFrame
from opensip.errors import ProviderError
from opensip.events import ProviderFailed
from tests.fakes.line import Noted
from tests.fakes.live_recognizer import FakeLive, FakePaced
from tests.fakes.virtual_time_loop import VirtualTimeLoop


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def frames(seconds, at=0.0):
    return [AudioFrame(at + n * 0.02, np.zeros(160, np.int16), 8000, -100.0)
            for n in range(round(seconds / 0.02))]  # fmt: skip


def test_a_turn_has_what_came_just_before_it_and_not_more():
    async def main():
        recognizer = ScriptedRecognizer([Understood("words")])
        ear = Ear([recognizer], 8000, Noted())
        for frame in frames(2.0):
            ear.hear(frame)
        ear.begin(Expectation())
        assert 0.28 < recognizer.fed / 8000 <= 0.32
        for frame in frames(1.0, 2.0):
            ear.hear(frame)
        assert (await ear.understand()).text == "words"
        assert 1.28 < recognizer.fed / 8000 <= 1.32
        await ear.close()

    run(main)


def test_what_came_just_before_a_turn_is_no_less_where_it_came_in_long_frames():
    async def main():
        for silent in (1, 3, 20):  # frames of 100 ms, then the first of a voice
            recognizer = ScriptedRecognizer([Understood("words")])
            ear = Ear([recognizer], 8000, Noted())
            for n in range(silent):
                ear.hear(AudioFrame(n * 0.1, np.zeros(800, np.int16), 8000, -100.0))
            ear.hear(frames(0.02, silent * 0.1)[0])
            ear.begin(Expectation())
            assert min(0.3, silent * 0.1) <= recognizer.fed / 8000 <= 0.42
            await ear.close()

    run(main)


def test_what_was_speculated_is_ready_and_what_was_voided_is_asked_again():
    async def main():
        loop = asyncio.get_running_loop()
        ear = Ear([ScriptedRecognizer([Understood("words")], delay=0.2)], 8000, Noted())
        ear.begin(Expectation())
        ear.speculate()
        await asyncio.sleep(0.1)
        ear.resume()
        ear.speculate()
        await asyncio.sleep(0.3)
        before = loop.time()
        assert (await ear.understand()).text == "words"
        assert loop.time() == before

    run(main)


def test_another_rate_is_converted():
    async def main():
        recognizer = ScriptedRecognizer([Understood("words")])
        recognizer.rate = 16000
        ear = Ear([recognizer], 8000, Noted())
        ear.begin(Expectation())
        for frame in frames(1.0):
            ear.hear(frame)
        assert recognizer.fed == 16000

    run(main)


def test_a_recognizer_that_never_answers_is_replaced():
    async def main():
        noted, second = Noted(), ScriptedRecognizer([Understood("words")])
        ear = Ear([ScriptedRecognizer(delay=1e6), second], 8000, noted)
        ear.begin(Expectation())
        for frame in frames(1.0):
            ear.hear(frame)
        assert (await ear.understand()).text == "words"
        assert second.fed == 8000
        assert noted.of(ProviderFailed)[0].error == "TimeoutError"

    run(main)


def test_what_may_pass_is_tried_again_and_the_last_recognizer_stays():
    class Overloaded(ScriptedRecognizer):
        errors = 3

        async def finish(self):
            if self.errors:
                self.errors -= 1
                raise ProviderError("overloaded", retryable=True)
            return await super().finish()

    async def main():
        noted, recognizer = Noted(), Overloaded([Understood("words")])
        ear = Ear([recognizer], 8000, noted)
        ear.begin(Expectation())
        with pytest.raises(ProviderError, match="no recognizer is left"):
            await ear.understand()
        assert len(noted.of(ProviderFailed)) == 1  # once for the two tries
        ear.begin(Expectation())
        for frame in frames(1.0):
            ear.hear(frame)
        assert (await ear.understand()).text == "words"
        assert recognizer.fed == 8000

    run(main)


def test_those_who_were_replaced_are_let_go_too():
    class Closing(ScriptedRecognizer):
        closed = False

        async def close(self):
            self.closed = True

    async def main():
        both = Closing([ProviderError("no")]), Closing([Understood("words")])
        ear = Ear(both, 8000, Noted())
        ear.begin(Expectation())
        assert (await ear.understand()).text == "words"
        await ear.close()
        assert [recognizer.closed for recognizer in both] == [True, True]

    run(main)


def test_without_any_there_is_an_error():
    async def main():
        ear = Ear([], 8000, Noted())
        ear.begin(Expectation())
        for frame in frames(0.1):
            ear.hear(frame)
        with pytest.raises(ProviderError, match="no recognizer is left"):
            await ear.understand()

    run(main)


@pytest.mark.parametrize("broken_off", [True, False])
def test_who_speaks_on_while_a_turn_is_recognised_is_heard_whole(broken_off):
    class Counting(ScriptedRecognizer):
        async def finish(self):
            fed = self.fed
            await super().finish()
            return Understood(f"{fed / 8000:.1f}")

    async def main():
        ear = Ear([Counting(delay=1.0)], 8000, Noted())
        ear.begin(Expectation())
        for frame in frames(1.0):
            ear.hear(frame)
        asked = asyncio.create_task(ear.understand())
        await asyncio.sleep(0.5)
        ear.begin(Expectation())  # speaks on: perhaps
        for frame in frames(0.5, 1.5):
            ear.hear(frame)
        if broken_off:
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
        else:
            assert (await asked).text == "1.0"
        for frame in frames(0.5, 2.0):
            ear.hear(frame)
        assert (await ear.understand()).text == ("2.0" if broken_off else "1.0")

    run(main)


def test_a_turn_that_was_taken_keeps_its_audio_though_the_next_begins_at_once():
    async def main():
        recognizer = ScriptedRecognizer([Understood("one"), Understood("two")])
        ear = Ear([recognizer], 8000, Noted())
        ear.begin(Expectation())
        for frame in frames(1.0):
            ear.hear(frame)
        taken = ear.take()
        ear.begin(Expectation())
        for frame in frames(0.5, 1.0):
            ear.hear(frame)
        assert (await ear.understand(taken)).text == "one"
        assert recognizer.fed == 8000
        assert (await ear.understand()).text == "two"
        assert recognizer.fed == 4000

    run(main)


def spoken(ear, seconds, at=0.0, *, voiced=True):
    for frame in frames(seconds, at):
        ear.hear(frame)
        ear.decided(Voicing(frame.at, 0.02, voiced))


def test_a_live_recognizer_that_wants_it_learns_where_the_voice_pauses():
    async def main():
        live = FakePaced()
        ear = Ear([live], 8000, Noted())
        assert ear.hearing.paced
        spoken(ear, 1.0)
        ear.begin(Expectation())
        spoken(ear, 0.5, 1.0)
        spoken(ear, 0.5, 1.5, voiced=False)
        assert live.done == ["resume", "pause"]
        spoken(ear, 0.1, 2.0)
        ear.forget()
        assert live.done[2:] == ["resume", "forget"]
        ear.begin(Expectation())
        spoken(ear, 0.1, 2.1)
        ear.take()
        assert live.done[4:] == ["resume", "pause"]

    run(main)


def test_who_takes_over_from_a_live_recognizer_hears_the_turn_from_its_beginning():
    async def main():
        noted, first, next_one = Noted(), FakeLive(), FakePaced()
        ear, told = Ear([first, next_one], 8000, noted), []
        ear.told = lambda text, final, over: told.append((text, final))
        spoken(ear, 0.3)
        ear.begin(Expectation())
        spoken(ear, 0.5, 0.3)
        first.tell("some")
        first.failed(ProviderError("gone"))
        spoken(ear, 0.2, 0.8)
        assert (next_one.begun, next_one.done) == (1, ["resume"])
        assert next_one.fed / 8000 == pytest.approx(1.0, abs=0.021)
        next_one.tell("all of it", final=True)
        assert told == [("some", False), ("all of it", True)]
        assert (await ear.understand()).text == "all of it"
        assert [event.error for event in noted.of(ProviderFailed)] == ["gone"]

    run(main)
