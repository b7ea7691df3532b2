import asyncio
import threading

import numpy as np
import pytest

from opensip.agent.voice_activity import silero_model
from opensip.agent.voice_activity.silero_model import SIZE, Memory, Model, loaded

WINDOW = np.full(SIZE, 16384, np.int16)


class Counted:
    """A network that counts windows in its states, and says how many it was asked at once."""

    def __init__(self):
        self.batches = []

    def __call__(self, windows, states):
        self.batches.append(len(windows))
        assert windows.shape[1:] == (32 + SIZE,)
        return states[0, :, :1] / 100, states + 1


async def until(done):
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110  what it waits for is no event
            await asyncio.sleep(0)


def test_calls_are_asked_about_together_and_each_in_order():
    async def main():
        network, answers = Counted(), []
        model, memories = Model(lambda: network), [Memory() for _ in range(3)]
        for turn in range(4):
            for number, memory in enumerate(memories):
                if turn <= number + 1:
                    model.ask(memory, WINDOW, lambda p, n=number: answers.append((n, p)))
        await until(lambda: len(answers) == 2 + 3 + 4)
        return network.batches, answers, memories

    batches, answers, memories = asyncio.run(main())
    assert batches == [3, 3, 2, 1]
    for number in range(3):
        mine = [round(p * 100) for n, p in answers if n == number]
        assert mine == [*range(number + 2)]  # each window saw the state that the last one left
    assert (memories[0].context == 0.5).all()


def test_a_thread_loads_the_network_and_runs_it_on_many_windows_the_loop_on_few():
    async def main():
        answers, threads = [], []

        class Watched(Counted):
            def __call__(self, windows, states):
                threads.append(threading.current_thread() is threading.main_thread())
                return super().__call__(windows, states)

        network = Watched()
        model, asked = Model(lambda: network), 0
        for calls in (1, 3, 33, 2):
            for _ in range(calls):
                model.ask(Memory(), WINDOW, answers.append)
            asked += calls
            await until(lambda wanted=asked: len(answers) == wanted)
        return network.batches, threads

    assert asyncio.run(main()) == ([1, 3, 33, 2], [False, True, False, True])


def test_a_loaded_network_that_fails_is_asked_again():
    async def main():
        answers = []

        class Failing(Counted):
            def __call__(self, windows, states):
                found = super().__call__(windows, states)
                if len(self.batches) == 2:
                    raise RuntimeError("no memory")
                return found

        network = Failing()
        model = Model(lambda: network)
        for asked in (1, 2, 3):
            model.ask(Memory(), WINDOW, answers.append)
            await until(lambda wanted=asked: len(answers) == wanted)
        return answers, model.failed

    assert asyncio.run(main()) == ([0.0, None, 0.0], True)


def test_a_failure_is_told_to_each_call_and_the_next_is_asked_again():
    async def main():
        answers, networks = [], [RuntimeError("no memory"), Counted()]

        def load():
            network = networks.pop(0)
            if isinstance(network, Exception):
                raise network
            return network

        model = Model(load)
        model.ask(Memory(), WINDOW, answers.append)
        await until(lambda: answers)
        model.ask(Memory(), WINDOW, answers.append)
        await until(lambda: len(answers) == 2)
        return answers, model.failed

    assert asyncio.run(main()) == ([None, 0.0], True)


def test_who_is_forgotten_is_not_answered():
    async def main():
        network, answers = Counted(), []
        model, gone, here = Model(lambda: network), Memory(), Memory()
        model.ask(gone, WINDOW, answers.append)
        gone.forgotten = True
        await asyncio.sleep(0)
        model.ask(here, WINDOW, answers.append)
        await until(lambda: answers)
        return network.batches, answers

    assert asyncio.run(main()) == ([1], [0.0])


def test_a_bug_of_one_call_is_not_the_others():
    async def main():
        seen, answers = [], []
        asyncio.get_running_loop().set_exception_handler(lambda loop, what: seen.append(what))
        model = Model(Counted)
        model.ask(Memory(), WINDOW, lambda p: 1 / 0)
        model.ask(Memory(), WINDOW, answers.append)
        await until(lambda: answers)
        return len(seen)

    assert asyncio.run(main()) == 1


def test_a_loop_has_one_model():
    async def main():
        return silero_model.shared_model() is silero_model.shared_model()

    pytest.importorskip("onnxruntime")
    assert asyncio.run(main())
    assert asyncio.run(main())
    assert len(silero_model._models) == 1


def test_the_network_finds_in_many_calls_what_it_finds_in_each_alone():
    pytest.importorskip("onnxruntime")
    network, calls = loaded(), 5
    windows = np.random.default_rng(1).normal(0, 0.1, (calls, 32 + SIZE)).astype(np.float32)
    together, states = network(windows, np.zeros((2, calls, 128), np.float32))
    assert together.shape == (calls, 1)
    for call in range(calls):
        alone, state = network(windows[call : call + 1], np.zeros((2, 1, 128), np.float32))
        assert alone[0] == pytest.approx(together[call], abs=1e-4)
        assert state[:, 0] == pytest.approx(states[:, call], abs=1e-4)
