import numpy as np
import pytest

from opensip.audio.codecs import CODECS, FramedCodec
from opensip.errors import RemoteProtocolError
from opensip.media.opaque import OpaqueReceiver
from opensip.rtp.payload import PayloadFormat

NOTHING = np.zeros(0, np.int16)


class Decoder:
    """A payload says how loud it is; b"!" is none."""

    made = 0

    def __init__(self):
        Decoder.made += 1

    def __call__(self, payload):
        if payload == b"!":
            raise RemoteProtocolError("no payload")
        return np.full(320, 100 * payload[0], np.int16)


@pytest.fixture
def receiver(monkeypatch):
    form = PayloadFormat("wide", 48000, channels=2)
    codec = FramedCodec(form, 16000, lambda count, fmtp: None, Decoder, ("numpy", "none"))
    monkeypatch.setitem(CODECS, "wide", codec)
    Decoder.made = 0
    dropped = []
    made = OpaqueReceiver(dropped.append)
    made.dropped = dropped
    made.configure({96: "wide", 0: "PCMU"})
    return made


def sound(number, payload=b"\x50", *, follows=True, behind=0, at=None):
    at = 0.02 * number if at is None else at
    return 96, 960 * number, at, follows, behind, payload


def test_packets_in_order_are_one_sound_and_tell_of_a_voice(receiver):
    assert receiver.take([sound(5, follows=False), sound(6)], NOTHING, 0.0)
    frame = receiver.heard.take()
    assert (frame.at, frame.rate, len(frame.samples)) == (0.1, 16000, 640)
    assert not receiver.take([sound(7, b"\x00")], NOTHING, 0.0)
    assert receiver.heard.take().at == pytest.approx(0.14)
    assert Decoder.made == 1


def test_what_is_missing_is_silence_if_it_follows(receiver):
    receiver.take([sound(0, follows=False), sound(2)], NOTHING, 0.0)
    samples = receiver.heard.take().samples
    assert len(samples) == 960
    assert not samples[320:640].any()
    receiver.take([sound(5), sound(900, follows=False)], NOTHING, 0.0)
    assert len(receiver.heard.take().samples) == 640  # each begins something
    assert Decoder.made == 2


def test_what_cannot_be_decoded_is_silence_and_counted(receiver):
    receiver.take([sound(0, follows=False), sound(1, b"!"), sound(2)], NOTHING, 0.0)
    assert receiver.dropped == ["undecodable"]
    assert len(receiver.heard.take().samples) == 960


def test_g711_between_has_its_place_at_the_rate_of_what_came_last(receiver):
    plain = np.full(320, 5000, np.int16)
    row = [sound(9, b"\x10", follows=False, behind=160), sound(10, b"\x10", behind=160)]
    assert receiver.take(row, plain, 1.0)
    frame = receiver.heard.take()
    assert (frame.at, frame.rate, len(frame.samples)) == (1.0, 8000, 640)
    assert abs(int(frame.samples[80]) - 5000) < 50
    assert abs(int(frame.samples[240]) - 1600) < 100
    assert frame.samples[600] == 5000
    receiver.take(row[:1], plain[:160], 2.0)
    assert receiver.heard.take().rate == 16000


def test_a_payload_type_that_is_no_more_is_passed_over(receiver):
    receiver.configure({0: "PCMU"})
    assert not receiver.take([sound(1)], NOTHING, 0.0)
    assert receiver.heard.take() is None
