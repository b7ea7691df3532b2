import asyncio

import numpy as np
import pytest

from opensip.audio.frame import AudioFrame
from opensip.media.over import AHEAD, Over
from opensip.media.relay import Relay
from tests.fakes.virtual_time_loop import VirtualTimeLoop

RATE = 8000


class Played:
    """A sink that plays in time what it gets, from its first sample on."""

    rate = RATE

    def __init__(self):
        self.samples = np.zeros(0, np.int16)
        self.began = None
        self.paused = False
        self.flushed = 0

    def write(self, samples):
        now = asyncio.get_running_loop().time()
        if self.began is None or not self.queued():
            self.began = now - len(self.samples) / RATE
        self.samples = np.concatenate((self.samples, samples))
        return len(self.samples) - len(samples)

    def played(self):
        if self.began is None:
            return 0
        now = asyncio.get_running_loop().time()
        return min(len(self.samples), round((now - self.began) * RATE))

    def queued(self):
        return len(self.samples) - self.played()

    def flush(self):
        self.flushed = self.queued()
        self.samples = self.samples[: self.played()]
        return self.flushed

    def pause(self):
        self.paused = True

    def resume(self):
        self.paused = False

    async def drained(self):
        await asyncio.sleep(self.queued() / RATE)


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def word(value, seconds):
    return np.full(round(seconds * RATE), value, np.int16)


async def talk(relay, value, seconds):
    """Let the other peer talk, in batches as they come."""
    for _ in range(round(seconds / 0.02)):
        relay.hear(AudioFrame(0.0, word(value, 0.02), RATE, -20.0))
        await asyncio.sleep(0.02)


def test_a_word_is_heard_over_the_other_peer_who_goes_on():
    async def main():
        sink = Played()
        over = Over(sink)
        relay = Relay(over)
        await talk(relay, 1000, 0.2)
        assert over.write(word(200, 0.5)) == 1600
        assert over.queued() >= 4000
        await talk(relay, 1000, 0.3)
        ours = asyncio.ensure_future(over.drained())
        await talk(relay, 1000, 0.5)
        assert ours.done()
        assert set(sink.samples[:1600]) == {1000}
        assert set(sink.samples[1600:5600]) == {1200}
        assert set(sink.samples[5600:]) == {1000}
        assert len(sink.samples) == RATE
        assert relay.left_out == 0
        relay.close()

    run(main)


def test_where_the_other_is_silent_a_word_is_heard_alone_and_holds_up_nobody():
    async def main():
        sink = Played()
        over = Over(sink)
        relay = Relay(over)
        await asyncio.sleep(1)
        over.write(word(200, 1.0))
        await asyncio.sleep(0.5)
        assert set(sink.samples[:3500]) == {200}
        assert sink.queued() <= AHEAD * RATE
        await talk(relay, 1000, 1.0)
        assert relay.left_out == 0
        assert (sink.samples == 1200).sum() >= 0.3 * RATE
        assert (sink.samples == 200).sum() + (sink.samples == 1200).sum() == RATE
        assert (sink.samples >= 1000).sum() == RATE
        relay.close()

    run(main)


def test_two_that_are_loud_do_not_wrap():
    async def main():
        sink = Played()
        over = Over(sink)
        relay = Relay(over)
        relay.hear(AudioFrame(0.0, word(30000, 0.02), RATE, 0.0))
        over.write(word(30000, 0.01))
        relay.hear(AudioFrame(0.0, word(30000, 0.02), RATE, 0.0))
        assert sink.samples.max() == 32767
        assert sink.samples.min() == 30000

    run(main)


@pytest.mark.parametrize("relayed", [True, False])
def test_a_word_may_be_taken_back(relayed):
    async def main():
        sink = Played()
        over = Over(sink)
        relay = Relay(over) if relayed else None
        over.write(word(200, 1.0))
        await asyncio.sleep(0.5)
        played = over.played()
        assert over.flush() == RATE - played
        assert over.queued() == 0
        await over.drained()
        if relay is not None:
            relay.close()

    run(main)


def test_what_is_left_when_the_other_leaves_is_said():
    async def main():
        sink = Played()
        over = Over(sink)
        relay = Relay(over)
        await talk(relay, 1000, 0.1)
        over.write(word(200, 0.5))
        relay.close()
        assert (sink.samples == 200).sum() == 4000
        over.write(word(300, 0.1))
        assert (sink.samples == 300).sum() == 800
        over.pause()
        assert sink.paused
        over.resume()
        assert not sink.paused
        assert over.rate == RATE

    run(main)
