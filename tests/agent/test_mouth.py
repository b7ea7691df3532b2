import asyncio

import pytest

from opensip.agent.mouth import STALL, Mouth
from opensip.agent.providers.scripted import ScriptedSynthesizer
from opensip.audio.tones import tone
from opensip.errors import ProviderError
from opensip.events import AgentSaid, ProviderFailed
from tests.fakes.line import Line, Noted
from tests.fakes.virtual_time_loop import VirtualTimeLoop


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def mouth(*synthesizers):
    line, noted = Line(), Noted()
    return Mouth(synthesizers, line, noted, asyncio.get_running_loop().time), line, noted


def test_it_speaks_on_while_the_next_clause_is_made():
    async def main():
        speaker, line, noted = mouth(ScriptedSynthesizer(delay=0.1))
        await speaker.say("The first clause is long enough. And so is this second one.")
        assert speaker.first_position == 0
        assert asyncio.get_running_loop().time() == pytest.approx(0.2)
        assert not speaker.silent
        assert await speaker.finish() == (
            "The first clause is long enough. And so is this second one."
        )
        assert speaker.silent
        assert noted.of(AgentSaid)[0].interrupted is False
        assert line.queued() == 0

    run(main)


def test_what_is_stopped_was_heard_in_part():
    async def main():
        speaker, line, noted = mouth(ScriptedSynthesizer())
        await speaker.say("Nobody will hear the end of this sentence.")
        await asyncio.sleep(0.5)
        heard = speaker.stop()
        assert heard == "Nobody"
        assert line.queued() == 0
        assert noted.of(AgentSaid)[0].interrupted

    run(main)


def test_a_clause_that_breaks_off_is_not_begun_again():
    class Breaking(ScriptedSynthesizer):
        async def speak(self, text):
            async for piece in super().speak(text):
                yield piece
                raise ProviderError("cut")

    async def main():
        speaker, _, noted = mouth(Breaking(), ScriptedSynthesizer())
        await speaker.say("This is said once, and the rest is said. By the other voice.")
        assert len(noted.of(ProviderFailed)) == 1
        await speaker.finish()

    run(main)


class Voice(ScriptedSynthesizer):
    """Raises the given errors in turn, then speaks."""

    def __init__(self, *errors):
        super().__init__()
        self.errors = list(errors)

    async def speak(self, text):
        if self.errors and (error := self.errors.pop(0)):
            raise error
        async for piece in super().speak(text):
            yield piece


def test_what_may_pass_is_tried_again_with_the_same_voice():
    async def main():
        speaker, line, noted = mouth(Voice(ProviderError("overloaded", retryable=True)))
        await speaker.say("Hello.")
        assert speaker.first_position == 0
        assert len(noted.of(ProviderFailed)) == 1
        assert await speaker.finish() == "Hello."
        assert line.written.any()

    run(main)


def test_the_last_voice_is_asked_again_with_the_next_answer():
    async def main():
        speaker, *_ = mouth(Voice(OSError("no memory")))
        with pytest.raises(ProviderError, match="no synthesizer is left"):
            await speaker.say("Hello.")
        speaker.stop()
        await speaker.say("Hello again.")
        assert await speaker.finish() == "Hello again."

    run(main)


def test_a_voice_that_makes_no_sound_has_failed_but_marks_need_none():
    class Mute(ScriptedSynthesizer):
        async def speak(self, text):
            return
            yield

    async def main():
        speaker, _, noted = mouth(Mute())
        await speaker.say("...")
        assert noted.of(ProviderFailed) == []
        with pytest.raises(ProviderError):
            await speaker.say("Hello.")
        assert noted.of(ProviderFailed)[0].error == "it gave no sound"

    run(main)


def test_a_voice_that_is_late_is_replaced_and_the_last_one_missed():
    async def main():
        speaker, _, noted = mouth(ScriptedSynthesizer(delay=1e6))
        with pytest.raises(ProviderError, match="no synthesizer is left"):
            await speaker.say("Hello.")
        assert noted.of(ProviderFailed)[0].error == "TimeoutError"

    run(main)


def test_a_question_is_open_from_just_before_its_end_until_two_seconds_after_it():
    async def main():
        speaker, _, _ = mouth(ScriptedSynthesizer(delay=0.0))
        await speaker.say("Shall I send the lamp? Please say yes or no, whichever you like best.")
        ends = 22 * 0.06  # of the question, at the voice's pace
        found = {}
        for _ in range(200):
            await asyncio.sleep(0.02)
            found[asyncio.get_running_loop().time()] = speaker.asked
        open_ = [at for at, asked in found.items() if asked]
        assert open_[0] == pytest.approx(ends - 0.5, abs=0.15)
        assert open_[-1] == pytest.approx(ends + 2.0, abs=0.15)
        assert len(open_) == pytest.approx((open_[-1] - open_[0]) / 0.02 + 1, abs=1)

    run(main)


def test_what_was_said_lately_is_what_an_echo_may_hold():
    async def main():
        speaker, _, _ = mouth(ScriptedSynthesizer(delay=0.0))
        assert speaker.lately == ""
        words = [f"word{n}" for n in range(10, 60)]
        await speaker.say(" ".join(words))
        await asyncio.sleep(0.2)
        assert "word10" in speaker.lately  # which is being said
        await asyncio.sleep(10.0)
        said = speaker.lately.split()
        now = 10.2 / (7 * 0.06)  # words so far
        first, last = (words.index(word) for word in (said[0], said[-1]))
        assert first == pytest.approx(now - 2.0 / 0.42, abs=1.5)
        assert last == pytest.approx(now + 0.5 / 0.42, abs=1.5)
        speaker.stop()
        assert speaker.lately == ""

    run(main)


class Stalling(ScriptedSynthesizer):
    """Gives `seconds` of a clause's sound, and nothing after it."""

    def __init__(self, seconds=0.2):
        super().__init__()
        self.seconds = seconds

    async def speak(self, text):
        await asyncio.sleep(0.1)
        yield tone(400, self.seconds, 8000)
        await asyncio.sleep(1e6)


@pytest.mark.parametrize("seconds", [0.2, 1.0])
def test_a_clause_that_stalls_goes_to_the_next_voice_in_time(seconds):
    async def main():
        speaker, _line, noted = mouth(Stalling(seconds), ScriptedSynthesizer())
        await speaker.say("This is said once, by two voices.")
        at = asyncio.get_running_loop().time()
        assert at == pytest.approx(0.1 + seconds + STALL + 0.1, abs=0.01)
        assert len(noted.of(ProviderFailed)) == 1
        assert await speaker.finish() == "This is said once, by two voices."

    run(main)


def test_the_only_voice_says_the_rest_of_a_clause_that_stalled_itself():
    class Once(Stalling):
        async def speak(self, text):
            stalls, self.seconds = self.seconds, 0.0
            if stalls:
                yield tone(400, stalls, 8000)
                await asyncio.sleep(1e6)
            async for piece in ScriptedSynthesizer.speak(self, text):
                yield piece

    async def main():
        speaker, _line, noted = mouth(Once(0.5))
        await speaker.say("This is said once, by one voice alone.")
        assert await speaker.finish() == "This is said once, by one voice alone."
        [failed] = noted.of(ProviderFailed)
        assert failed.error == "no sound for 1.5 s amid a clause"

    run(main)


def test_a_clause_may_stall_while_enough_is_queued():
    async def main():
        speaker, _line, noted = mouth(Stalling(10.0), ScriptedSynthesizer())
        saying = asyncio.create_task(speaker.say("This is said once, by two voices."))
        await asyncio.sleep(6.0)
        assert noted.of(ProviderFailed) == []
        await saying
        assert asyncio.get_running_loop().time() == pytest.approx(0.1 + 6.0, abs=0.01)

    run(main)


def test_what_bridges_is_said_in_the_voice_of_anybody_who_has_spoken_it():
    async def main():
        line, noted = Line(), Noted()
        voices = Voice(None, None, ProviderError("gone")), ScriptedSynthesizer()
        text = "One moment, please, this will take me a while. I am still looking."
        loop = asyncio.get_running_loop()
        speaker = Mouth(voices, line, noted, loop.time, standing=(text,))
        await speaker.prepare([text])
        await speaker.say("Hello.")
        assert len(noted.of(ProviderFailed)) == 1
        await speaker.finish()
        assert speaker.bridge(text)
        assert line.queued() == len(text.replace(". I", ".I")) * 480

    run(main)
