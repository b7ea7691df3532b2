"""The contract of every entry of CODECS."""

import importlib.util

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.audio import codecs
from opensip.audio.codecs import CODECS, G711, FramedCodec, find, widest
from opensip.audio.tones import goertzel, tone
from opensip.errors import ConfigError, MissingExtra, RemoteProtocolError


@pytest.fixture(params=CODECS.values(), ids=CODECS)
def any_codec(request):
    return request.param


@pytest.fixture(params=G711.values(), ids=G711)
def codec(request):
    return request.param


FRAMED = [codec for codec in CODECS.values() if isinstance(codec, FramedCodec)]


@pytest.fixture(params=FRAMED, ids=lambda codec: codec.format.encoding_name)
def framed(request):
    pytest.importorskip(request.param.needs[0], reason="the extra 'codecs' is not installed")
    return request.param


def speech_like(rate: int, amplitude: float) -> np.ndarray:
    at = np.arange(rate) / rate
    wave = sum(np.sin(2 * np.pi * f * at + f) / n for n, f in enumerate((210, 640, 1500), 1))
    return (wave / np.abs(wave).max() * amplitude).astype(np.int16)


def test_name_is_that_of_the_format(any_codec):
    assert CODECS[any_codec.format.encoding_name] is any_codec


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
    for codec in G711.values():
        assert len(codec.decode(payload)) > 0 or not payload


# ---- codecs with state


@pytest.mark.parametrize("ptime", [20, 40, 60])
def test_each_packet_gives_its_time_back(framed, ptime):
    count = framed.frame_samples(ptime)
    encode, decode = framed.encoder(count, ""), framed.decoder()
    sound = tone(1000, 0.6, framed.rate)
    heard = [decode(encode(sound[at : at + count])) for at in range(0, len(sound), count)]
    assert {len(piece) for piece in heard} == {count}
    assert {piece.dtype for piece in heard} == {np.dtype(np.int16)}
    settled = np.concatenate(heard)[framed.rate // 10 :]
    assert goertzel(settled, 1000, framed.rate) == pytest.approx(-16, abs=1)
    assert goertzel(settled, 1400, framed.rate) < -45


def test_sound_above_the_telephone_band_survives(framed):
    count = framed.frame_samples(20)
    encode, decode = framed.encoder(count, ""), framed.decoder()
    both = tone(800, 0.6, framed.rate) + tone(5500, 0.6, framed.rate)
    heard = [decode(encode(both[at : at + count])) for at in range(0, len(both), count)]
    settled = np.concatenate(heard)[framed.rate // 10 :]
    assert goertzel(settled, 5500, framed.rate) == pytest.approx(-16, abs=4)


def test_two_streams_do_not_mix(framed):
    count = framed.frame_samples(20)
    loud, soft = framed.encoder(count, ""), framed.encoder(count, "")
    silence, sound = np.zeros(count, np.int16), tone(700, 0.02, framed.rate)
    hear = framed.decoder()
    for _ in range(10):
        loud(sound)
        heard = hear(soft(silence))
    assert np.abs(heard).max() < 20


def test_garbage_is_refused_or_sounds(framed):
    dice, decode = np.random.default_rng(1), framed.decoder()
    for size in (0, 1, 2, 3, 60, 160, 400, 1400):
        for _ in range(8):
            try:
                assert decode(dice.bytes(size)).dtype == np.int16
            except RemoteProtocolError:
                assert size
    count = framed.frame_samples(20)
    encode = framed.encoder(count, "")
    for _ in range(3):  # and what comes after is heard
        heard = decode(encode(np.zeros(count, np.int16)))
    assert len(heard) == count


# ---- the table


def test_a_codec_is_found_or_the_known_ones_are_named():
    assert find("PCMU") is CODECS["PCMU"]
    with pytest.raises(ConfigError, match="no codec 'G729': known are PCMU, PCMA, G722, opus"):
        find("G729")


def test_a_missing_package_names_its_extra(monkeypatch):
    monkeypatch.setattr(codecs.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"the codec G722 needs.*opensip-agent\[codecs\]"):
        find("G722")


@pytest.mark.skipif(importlib.util.find_spec("av") is None, reason="PyAV is not installed")
def test_a_package_that_is_there():
    assert find("opus") is CODECS["opus"]


def test_the_widest():
    assert widest(("PCMU", "PCMA")) == 8000
    assert widest(("PCMU", "opus")) == 16000
