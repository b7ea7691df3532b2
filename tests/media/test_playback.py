"""Sound that is played on, by the specification and by the native engine, on the same traces."""

import dataclasses
import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.audio.codecs import G711
from opensip.audio.concealment import SHARE
from opensip.audio.level import dbfs
from opensip.media.playback import Playback
from tests.fakes.engines import needs_native

TRACES = sorted((Path(__file__).parent / "traces").glob("*.json"))
LETTERS = {"play": "P", "conceal": "C", "wait": "W"}


class Native:
    """The engine's playback behind the verbs of ours."""

    def __init__(self, codec):
        from opensip.media import _engine

        self._core = _engine.Playback(codec.format.encoding_name)

    def put(self, sequence, timestamp, payload, *, now):
        self._core.put(sequence, timestamp, payload, now)

    def tick(self, *, now):
        decision, samples = self._core.tick(now)
        return decision, np.frombuffer(samples, np.int16)

    @property
    def figures(self):
        return self._core.counts()


def figures_of(playback):
    if isinstance(playback, Native):
        return playback.figures
    return (*dataclasses.astuple(playback.counts), playback.depth)


BOTH = pytest.mark.parametrize(
    "kind", [pytest.param(Playback, id="python"), pytest.param(Native, marks=needs_native)]
)


def voice(sequence, size):
    """A tone that goes on from packet to packet, in mu-law."""
    places = np.arange(sequence * size, (sequence + 1) * size)
    tone = 6000 * np.sin(2 * np.pi * 200 * places / 8000) + 2000 * np.sin(np.pi * places / 10)
    return G711["PCMU"].encode(tone.astype(np.int16))


def play(kind, packets, ticks, start=0.005, law="PCMU"):
    """Run the ticks; gives the decisions, the frames and the figures."""
    playback, waiting, decisions, frames = kind(G711[law]), list(packets), "", []
    for n in range(ticks):
        now = start + n * 0.02
        while waiting and waiting[0][0] <= now:
            at, sequence, timestamp, size = waiting.pop(0)
            playback.put(sequence, timestamp, voice(sequence, size), now=at)
        decision, samples = playback.tick(now=now)
        decisions += LETTERS[decision]
        frames.append(samples)
    return decisions, frames, figures_of(playback)


@BOTH
@pytest.mark.parametrize("file", TRACES, ids=lambda file: file.stem)
def test_each_decision_is_as_the_trace_says(kind, file):
    trace = json.loads(file.read_text())
    decisions, *_ = play(kind, trace["packets"], len(trace["decisions"]), trace["start"])
    assert decisions == trace["decisions"]


@needs_native
@pytest.mark.parametrize("file", TRACES, ids=lambda file: file.stem)
def test_both_sound_alike(file):
    trace = json.loads(file.read_text())
    count = len(trace["decisions"])
    ours, theirs = (
        play(kind, trace["packets"], count, trace["start"]) for kind in (Playback, Native)
    )
    assert ours[2] == theirs[2]
    before = "W"
    for decision, one, two in zip(ours[0], ours[1], theirs[1], strict=True):
        if decision == before == "P":
            assert one.tobytes() == two.tobytes()
        quiet = max(dbfs(one), dbfs(two)) < -45  # the background, which is rolled
        assert abs(dbfs(one) - dbfs(two)) <= (3 if quiet else 1)
        before = decision


def wild(seed):
    """Packets that nobody should send: jumps, floods, odd sizes, all in any order."""
    dice, at, rows, timestamp = random.Random(seed), 0.0, [], 0
    for n in range(400):
        at += dice.choice((0.0, 0.001, 0.02, 0.3))
        timestamp += dice.choice((160, 160, 80, 40, 7999, 8001, 0x7FFFFFFF, -160, 16000))
        rows.append(
            (at, (n * dice.choice((1, 1, 7))) & 0xFFFF, timestamp & 0xFFFFFFFF,
             dice.choice((160, 160, 80, 0, 1, 1500)))
        )  # fmt: skip
    return rows


@needs_native
@pytest.mark.parametrize("seed", range(30))
def test_both_decide_the_same_of_what_nobody_should_send(seed):
    rows = wild(seed)
    ticks = min(2000, int(rows[-1][0] / 0.02) + 50)
    ours, theirs = (play(kind, rows, ticks) for kind in (Playback, Native))
    assert ours[0] == theirs[0]
    assert ours[2] == theirs[2]


@BOTH
@given(st.lists(st.binary(max_size=400), max_size=30))
def test_any_payload_is_played_or_left_out(kind, payloads):
    playback = kind(G711["PCMA"])
    for n, payload in enumerate(payloads):
        playback.put(n, 160 * n, payload, now=n * 0.02)
        _, samples = playback.tick(now=n * 0.02 + 0.01)
        assert len(samples) == 160


@BOTH
def test_silence_until_something_came_and_a_soft_background_when_it_went(kind):
    packets = [(0.03 + n * 0.02, n, 160 * n, 160) for n in range(50)]
    decisions, frames, _ = play(kind, packets, 80)
    assert decisions.startswith("WW")
    assert not frames[0].any()
    assert decisions.endswith("W" * 10)
    assert -100 < dbfs(frames[-1]) < -60


@BOTH
def test_a_lost_frame_sounds_like_its_neighbours(kind):
    packets = [(n * 0.02, n, 160 * n, 160) for n in range(60) if n not in (30, 31)]
    decisions, frames, _ = play(kind, packets, 60)
    lost = [n for n in range(10, 55) if decisions[n] == "C"]
    assert len(lost) == 2
    less = 20 * np.log10(SHARE)
    assert dbfs(frames[lost[0]]) == pytest.approx(dbfs(frames[lost[0] - 1]) + less, abs=1.5)
    assert dbfs(frames[lost[1]]) < dbfs(frames[lost[0]])
    sound = np.concatenate(frames[lost[0] - 1 : lost[1] + 3]).astype(int)
    steps = np.abs(np.diff(sound))
    assert steps.max() < 2500  # the tone's own steps reach 1,600: there is no click
