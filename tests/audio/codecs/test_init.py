"""The contract of every entry of CODECS."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.audio.codecs import CODECS


@pytest.fixture(params=CODECS.values(), ids=CODECS)
def codec(request):
    return request.param


def speech_like(rate: int, amplitude: float) -> np.ndarray:
    at = np.arange(rate) / rate
    wave = sum(np.sin(2 * np.pi * f * at + f) / n for n, f in enumerate((210, 640, 1500), 1))
    return (wave / np.abs(wave).max() * amplitude).astype(np.int16)


def test_name_is_that_of_the_format(codec):
    assert CODECS[codec.format.encoding_name] is codec


@pytest.mark.parametrize("amplitude", [300, 3000, 30000])
def test_signal_survives_with_35_db(codec, amplitude):
    sent = speech_like(codec.rate, amplitude)
    heard = codec.decode(codec.encode(sent)).astype(float)
    noise = np.mean((heard - sent) ** 2)
    assert 10 * np.log10(np.mean(sent.astype(float) ** 2) / noise) > (35 if amplitude > 300 else 25)


def test_a_frame_of_20_ms_keeps_its_length(codec):
    frame = np.zeros(codec.frame_samples(20), np.int16)
    heard = codec.decode(codec.encode(frame))
    assert len(heard) == len(frame)
    assert heard.dtype == np.int16


def test_silence_is_silent(codec):
    frame = np.zeros(codec.frame_samples(20), np.int16)
    assert set(codec.encode(frame)) == {codec.silence}
    assert np.abs(codec.decode(bytes([codec.silence]) * 160)).max() <= 8


def test_nothing_is_nothing(codec):
    assert codec.encode(np.zeros(0, np.int16)) == b""
    assert len(codec.decode(b"")) == 0


def test_full_scale_does_not_wrap(codec):
    edges = np.array([-32768, -32767, 32766, 32767], np.int16)
    assert (np.sign(codec.decode(codec.encode(edges))) == [-1, -1, 1, 1]).all()


@given(st.binary(max_size=400))
def test_any_payload_decodes(payload):
    for codec in CODECS.values():
        assert len(codec.decode(payload)) > 0 or not payload
