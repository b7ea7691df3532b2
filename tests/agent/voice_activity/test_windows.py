import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from opensip.agent.voice_activity.windows import Windows
from opensip.audio.frame import AudioFrame
from opensip.audio.level import dbfs
from tests.agent.voice_activity.sounds import frames


def frame(at, samples, rate=8000):
    return AudioFrame(at, samples, rate, dbfs(samples))


@given(st.lists(st.integers(1, 900), min_size=1, max_size=30), st.sampled_from([160, 256]))
def test_whatever_the_frames_windows_follow_on_each_other(sizes, size):
    windows, at, made = Windows(8000, size), 10.0, []
    whole = np.arange(sum(sizes), dtype=np.int16)
    for length in sizes:
        made += windows.of(frame(at, whole[: (n := length)]))
        whole, at = whole[n:], at + n / 8000
    heard = np.concatenate([window.samples for window in made]) if made else np.empty(0)
    assert (heard == np.arange(len(heard))).all()
    assert len(heard) == sum(sizes) // size * size
    for number, window in enumerate(made):
        assert abs(window.at - (10.0 + number * size / 8000)) < 1e-9
        assert window.level_dbfs == dbfs(window.samples)


def test_what_comes_after_a_gap_does_not_join_what_was_before():
    windows, part = Windows(8000, 256), np.ones(160, np.int16)
    assert [*windows.of(frame(1.0, part))] == []
    assert [*windows.of(frame(3.0, part))] == []
    (window,) = windows.of(frame(3.02, part))
    assert window.at == 3.0


def test_other_rates_become_8_khz():
    tone = (np.sin(np.arange(16000) / 16000 * 2 * np.pi * 500) * 8000).astype(np.int16)
    windows = Windows(16000, 256)
    made = [window for one in frames(tone, 16000, 320) for window in windows.of(one)]
    assert len(made) == 31
    assert abs(made[10].at - 10 * 0.032) < 1e-9
    assert abs(made[10].level_dbfs - dbfs(tone)) < 1
