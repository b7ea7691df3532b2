import numpy as np
import pytest

from opensip.media.ahead import AHEAD, AT_ONCE
from opensip.media.engine import StreamConfig
from tests.fakes.engines import needs_native

pytestmark = needs_native
pytest.importorskip("av", reason="the extra 'codecs' is not installed")


class Core:
    """The thread's queue, as a test empties it."""

    def __init__(self):
        self.pieces, self.gone, self.told, self.silent = [], 0, [], 0

    def write(self, samples):
        self.pieces.append((samples, None))
        return self.gone + self.queued() - len(samples)

    def write_packet(self, samples, payload):
        self.pieces.append((samples, payload))

    def queued(self):
        return sum(len(samples) for samples, _ in self.pieces)

    def played(self):
        return self.gone

    def quiet(self):
        return self.silent

    def flush(self):
        forgotten, self.pieces = self.queued(), []
        return forgotten

    def unsent(self):
        return self.gone, b"".join(samples.tobytes() for samples, _ in self.pieces)

    def tell_at(self, samples):
        self.told.append(samples)

    def play(self, pieces):
        for samples, _ in self.pieces[:pieces]:
            self.gone += len(samples)
        del self.pieces[:pieces]


def outbox():
    from opensip.media.outbox import Outbox

    core, time = Core(), [0.0]
    made = Outbox(core, lambda: time[0])
    return made, core, time


def agree(made, core, codec, **config):
    """Do as a stream does."""
    coding, queue = made.change(StreamConfig(codec=codec, **config))
    if queue is not None:
        core.pieces = [piece for piece in queue[1] if len(piece[0])]
    made.send_on()
    return coding, queue


def test_g711_goes_straight_to_the_thread():
    made, core, _ = outbox()
    assert made.write(np.arange(160, dtype=np.int16)) == 0
    assert (made.rate, made.queued(), made.flush()) == (8000, 160, 160)
    assert agree(made, core, "PCMA") == ("PCMA", None)


def test_what_has_state_goes_ahead_and_no_further():
    made, core, _ = outbox()
    coding, _ = agree(made, core, "G722")
    assert coding[:2] == (160, 80)
    assert made.rate == 16000
    assert made.write(np.zeros(80000, np.int16)) == 0
    assert core.queued() == AT_ONCE * 16000
    for _ in range(10):
        made.send_on()
    assert core.queued() == AHEAD * 16000
    assert made.queued() == 80000
    assert made.write(np.zeros(500, np.int16)) == 80000
    core.play(50)
    assert made.write(np.zeros(0, np.int16)) == 80500
    assert made.flush() == 80500 - 16000
    assert made.queued() == 0


def test_who_waits_for_the_end_is_told_of_what_waits_here_first():
    made, core, time = outbox()
    agree(made, core, "opus")
    made.write(np.zeros(400, np.int16))
    assert core.told == [320]
    made.tell_end()
    assert core.told == [320]
    time[0] = 1.0
    made.send_on()
    assert [len(samples) for samples, _ in core.pieces] == [320, 80]
    made.tell_end()
    assert core.told[-1] == 0


def test_another_codec_says_the_rest():
    made, core, _ = outbox()
    made.write(np.full(8000, 1000, np.int16))
    core.gone = 160
    coding, (since, pieces) = made.change(StreamConfig(codec="opus", fmtp="useinbandfec=1"))
    assert coding[:2] == (160, 480)
    assert since == 160
    assert all(payload for _, payload in pieces)
    core.pieces = pieces
    made.send_on()
    assert made.queued() == 16000
    assert made.change(StreamConfig(codec="opus", fmtp="useinbandfec=1"))[1] is None
    _, (_, pieces) = made.change(StreamConfig(codec="opus", fmtp="useinbandfec=1", ptime=40))
    assert {len(samples) for samples, _ in pieces} == {640}
    core.pieces = pieces
    _, (_, pieces) = made.change(StreamConfig())
    assert [(len(samples), payload) for samples, payload in pieces] == [(8000, None)]
    assert made.rate == 8000
