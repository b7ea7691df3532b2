import asyncio

import numpy as np
import pytest

from opensip.audio.frame import AudioFrame
from opensip.phone.hearing import Hearing
from tests.fakes.virtual_time_loop import VirtualTimeLoop

VOICE, SILENCE = -20.0, -70.0


class Scripted:
    """A source that plays (seconds, level) pairs in 20 ms frames, then ends or stays silent."""

    rate = 8000

    def __init__(self, *parts, hold=True):
        self._levels = [level for seconds, level in parts for _ in range(round(seconds / 0.02))]
        self._hold = hold

    async def read(self):
        await asyncio.sleep(0.02)
        if not self._levels:
            if not self._hold:
                return None
            self._levels.append(SILENCE)
        at = asyncio.get_running_loop().time() - 0.02
        return AudioFrame(at, np.zeros(160, np.int16), 8000, self._levels.pop(0))


def hear(*parts, patiences=(10.0,), hold=True, longest=30.0):
    async def main():
        loop = asyncio.get_running_loop()
        hearing = Hearing(Scripted(*parts, hold=hold), loop.time, longest=longest)
        task = asyncio.create_task(hearing.listen())
        turns = [(await hearing.turn(patience=patience), loop.time()) for patience in patiences]
        task.cancel()
        return turns

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def test_a_turn_ends_with_a_pause():
    [(turn, at)] = hear((1, SILENCE), (2, VOICE), (2, SILENCE))
    assert turn.began == pytest.approx(1.0)
    assert turn.ended == pytest.approx(3.0)
    assert at == pytest.approx(3.9, abs=0.03)


def test_a_breath_is_no_end():
    [(turn, _)] = hear((1, VOICE), (0.6, SILENCE), (1, VOICE), (2, SILENCE))
    assert (turn.began, turn.ended) == (pytest.approx(0), pytest.approx(2.6))


def test_two_turns():
    turns = hear((1, VOICE), (2, SILENCE), (1, VOICE), (2, SILENCE), patiences=(10, 10))
    assert [turn.began for turn, _ in turns] == [pytest.approx(0), pytest.approx(3)]


def test_nobody_speaks():
    assert hear((1, SILENCE), patiences=(3.0,)) == [(None, pytest.approx(3.0))]


def test_a_click_is_no_turn():
    assert hear((0.04, VOICE), patiences=(3.0,)) == [(None, pytest.approx(3.0))]


def test_the_end_of_the_call_ends_the_turn():
    [(turn, at)] = hear((1, VOICE), hold=False)
    assert turn.ended == pytest.approx(1.0)
    assert at < 1.1
    assert hear((0.5, SILENCE), hold=False)[0][0] is None


def test_a_tone_without_end_is_given_as_far_as_it_came():
    [(turn, at)] = hear((20, VOICE), patiences=(1.0,), longest=4.0)
    assert at == pytest.approx(5.0, abs=0.03)
    assert turn.ended == pytest.approx(5.0, abs=0.05)


def test_a_turn_keeps_its_sound_from_just_before():
    turns = hear((1, SILENCE), (2, VOICE), (2, SILENCE), (1, VOICE), (2, SILENCE), patiences=(9, 9))
    first, second = (turn for turn, _ in turns)
    assert first.rate == 8000
    assert first.frames[0].at == pytest.approx(0.8, abs=0.03)
    assert len(first.samples) / 8000 == pytest.approx(3.1, abs=0.05)  # 0.2 before, 0.9 after
    assert second.frames[0].at == pytest.approx(4.8, abs=0.03)
