import asyncio

from opensip.agent.patience import Patience
from tests.fakes.talk import run


class Fillers:
    """Keeps what it is told."""

    def __init__(self):
        self.running = False
        self.told = []

    def start(self, ended, since):
        self.running = True
        self.told.append(("start", since))

    def stop(self):
        self.running = False

    def sounded(self, seconds):
        self.told.append(("sounded", seconds))


async def scene(seconds, act, then):
    failed, fillers = [], Fillers()
    loop = asyncio.get_running_loop()
    patience = Patience(seconds, fillers, loop.time, lambda why: failed.append((loop.time(), why)))
    act(patience)
    await asyncio.sleep(then)
    return patience, fillers, failed


def test_an_answer_that_does_not_come_in_time_has_failed():
    _, _, failed = run(scene(2.5, lambda p: p.limit(), 3.0))
    assert failed == [(2.5, "no answer within 2.5 s")]


def test_what_is_queued_of_an_answer_gives_it_time_and_silence_is_filled_after_it():
    patience, fillers, failed = run(scene(2.5, lambda p: p.sounded(1.0, more=True), 3.4))
    assert (failed, patience.limits, fillers.running) == ([], True, True)
    assert fillers.told == [("sounded", 1.0), ("start", 0.0)]


def test_nothing_is_waited_for_after_the_last_sound_or_at_the_end():
    def end(patience):
        patience.begin(1.0)
        patience.limit()
        patience.end(bridged=True)

    assert run(scene(2.5, end, 4.0))[2] == []
    patience, fillers, _ = run(scene(2.5, lambda p: p.sounded(1.0, more=False), 4.0))
    assert (patience.limits, fillers.running) == (False, False)


def test_a_bot_is_not_known_to_owe_an_answer_but_its_first_sound():
    def begin(patience):
        patience.begin(1.0)
        patience.limit()
        patience.bridge(0.0)

    _, fillers, failed = run(scene(None, begin, 2.0))
    assert (failed, fillers.told) == ([(1.0, "no sound within 1 s")], [])
