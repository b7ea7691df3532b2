import numpy as np
import pytest

from opensip.audio.codecs import opus
from opensip.audio.codecs.opus import CODEC, encoder

FRAME = 320


def made(monkeypatch, fmtp, samples=FRAME):
    """What the encoder of FFmpeg is asked for."""
    asked = []

    class Coders:
        @staticmethod
        def Encoder(*args, **more):
            asked.append((args, more))

    monkeypatch.setattr(opus, "coders", lambda: Coders)
    encoder(samples, fmtp)
    return asked[0][1]


def test_as_rfc_7587_section_7_wants_it():
    assert CODEC.format.rtpmap == "opus/48000/2"
    assert CODEC.format.static_type is None
    assert CODEC.format.fmtp == "maxplaybackrate=16000;sprop-maxcapturerate=16000"


@pytest.mark.parametrize(
    ("fmtp", "bit_rate", "vbr", "fec"),
    [
        ("", 24000, "on", None),
        ("maxplaybackrate=48000;stereo=1;useinbandfec=1", 24000, "on", "1"),
        ("maxaveragebitrate=16000; CBR=1", 16000, "off", None),
        ("maxaveragebitrate=200000", 24000, "on", None),
        ("maxaveragebitrate=1", 6000, "on", None),
        ("maxaveragebitrate=a lot;useinbandfec=0", 24000, "on", None),
    ],
)
def test_what_the_peer_asks_for(monkeypatch, fmtp, bit_rate, vbr, fec):
    asked = made(monkeypatch, fmtp)
    assert asked["bit_rate"] == bit_rate
    assert (asked["options"]["vbr"], asked["options"].get("fec")) == (vbr, fec)


def test_the_time_of_a_packet(monkeypatch):
    assert made(monkeypatch, "", 960)["options"]["frame_duration"] == "60"


def test_a_constant_rate_and_copies_for_loss():
    pytest.importorskip("av", reason="the extra 'codecs' is not installed")
    noise = np.random.default_rng(1).normal(0, 3000, (30, FRAME)).astype(np.int16)
    encode = encoder(FRAME, "cbr=1;maxaveragebitrate=16000")
    assert {len(encode(frame)) for frame in noise} == {40}
