import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.audio.level import dbfs
from opensip.audio.resample import OddResampler, Resampler, live_resampler, resample
from opensip.errors import LocalProtocolError

LIVE = [(8000, 16000), (16000, 8000), (8000, 24000), (24000, 8000), (16000, 24000), (24000, 16000)]


def sine(frequency: float, rate: int) -> np.ndarray:
    return (10000 * np.sin(2 * np.pi * frequency * np.arange(rate) / rate)).round().astype(np.int16)


def signal_to_noise(heard: np.ndarray, frequency: float, rate: int) -> float:
    at = 2 * np.pi * frequency * np.arange(len(heard)) / rate
    waves = np.stack([np.sin(at), np.cos(at)], axis=1)
    fitted = waves @ np.linalg.lstsq(waves, heard.astype(float), rcond=None)[0]
    return 10 * np.log10(fitted.var() / (heard - fitted).var())


def push_all(src: int, dst: int, samples: np.ndarray, size: int) -> np.ndarray:
    resampler = Resampler(src, dst)
    chunks = [samples[n : n + size] for n in range(0, len(samples), size)]
    return np.concatenate([resampler.push(chunk) for chunk in chunks])


@pytest.mark.parametrize(("src", "dst"), LIVE)
def test_every_frame_of_20_ms_gives_20_ms_at_once(src, dst):
    resampler = Resampler(src, dst)
    for _ in range(5):
        assert len(resampler.push(np.zeros(src // 50, np.int16))) == dst // 50


@pytest.mark.parametrize(("src", "dst"), LIVE)
@pytest.mark.parametrize("frequency", [300, 1000, 3000])
def test_speech_comes_through_clean(src, dst, frequency):
    heard = push_all(src, dst, sine(frequency, src), src // 50)[dst // 10 :]
    assert signal_to_noise(heard, frequency, dst) > 75
    assert dbfs(heard) == pytest.approx(dbfs(sine(frequency, src)), abs=0.7)


@pytest.mark.parametrize(("src", "dst"), [(16000, 8000), (24000, 8000), (24000, 16000)])
def test_what_would_alias_is_gone(src, dst):
    frequency = 0.7 * dst
    heard = push_all(src, dst, sine(frequency, src), src // 50)[dst // 10 :]
    assert dbfs(heard) < dbfs(sine(frequency, src)) - 60


@pytest.mark.parametrize(("src", "dst"), LIVE)
def test_a_click_comes_out_within_2_ms(src, dst):
    click = np.zeros(src // 10, np.int16)
    click[src // 50] = 20000
    at = np.argmax(np.abs(push_all(src, dst, click, src // 50))) / dst
    assert 0 <= at - 0.02 < 0.002


@pytest.mark.parametrize(("src", "dst"), LIVE)
def test_silence_stays_silent_and_full_scale_does_not_wrap(src, dst):
    assert not push_all(src, dst, np.zeros(src // 10, np.int16), 160).any()
    loud = np.full(src // 10, 32767, np.int16)
    assert push_all(src, dst, loud, 160)[dst // 50 :].min() > 32000
    square = np.repeat(np.array([32767, -32768] * 8, np.int16), src // 160)
    assert np.sign(push_all(src, dst, square, 160)[dst // 500]) == 1


@given(st.sampled_from(LIVE), st.lists(st.integers(0, 400), min_size=1, max_size=12))
def test_how_it_is_cut_makes_no_difference(rates, lengths):
    src, dst = rates
    samples = np.random.default_rng(1).integers(-20000, 20000, sum(lengths)).astype(np.int16)
    resampler = Resampler(src, dst)
    ends = [0, *itertools.accumulate(lengths)]
    pieces = [resampler.push(samples[a:b]) for a, b in itertools.pairwise(ends)]
    whole = Resampler(src, dst).push(samples)
    assert np.abs(np.concatenate(pieces).astype(int) - whole).max(initial=0) <= 1
    assert len(whole) == -(-len(samples) * dst // src)


def test_the_same_rate_passes_through():
    samples = sine(440, 8000)
    assert Resampler(8000, 8000).push(samples) is samples
    assert resample(samples, 8000, 8000) is samples


@pytest.mark.parametrize(("src", "dst"), [(44100, 8000), (0, 8000), (8000, -1)])
def test_rates_that_do_not_fit_are_our_bug(src, dst):
    with pytest.raises(LocalProtocolError, match="live"):
        Resampler(src, dst)


@pytest.mark.parametrize(("src", "dst"), [*LIVE, (22050, 8000), (44100, 8000)])
def test_a_whole_prompt(src, dst):
    heard = resample(sine(1000, src), src, dst)
    assert len(heard) == dst
    assert heard.dtype == np.int16
    assert signal_to_noise(heard[dst // 10 : -dst // 10], 1000, dst) > 75


def test_an_empty_prompt():
    assert len(resample(np.zeros(0, np.int16), 24000, 8000)) == 0


@pytest.mark.parametrize(("src", "dst"), [(22050, 8000), (44100, 8000)])
def test_odd_rates_are_converted_live_and_whole(src, dst):
    resampler = live_resampler(src, dst)
    assert isinstance(resampler, OddResampler)
    samples = sine(1000, src)
    pieces = [resampler.push(samples[at : at + 441]) for at in range(0, len(samples), 441)]
    heard = np.concatenate([*pieces, resampler.flush()])
    assert abs(len(heard) - dst) <= 1
    assert signal_to_noise(heard[dst // 10 : -dst // 10], 1000, dst) > 75


def test_even_rates_are_converted_without_delay():
    assert isinstance(live_resampler(24000, 8000), Resampler)
    assert len(live_resampler(24000, 8000).flush()) == 0
