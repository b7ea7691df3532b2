import numpy as np
import pytest

from opensip.errors import RemoteProtocolError

pytest.importorskip("av", reason="the extra 'codecs' is not installed")

from opensip.audio.codecs.ffmpeg import Decoder, Encoder


def test_a_packet_of_g722_is_a_byte_for_two_samples():
    encode, decode = Encoder("g722", 16000), Decoder("g722", 16000)
    payload = encode(np.zeros(320, np.int16))
    assert len(payload) == 160
    assert len(decode(payload)) == 320


def test_opus_decodes_to_48000():
    payload = Encoder("libopus", 16000, bit_rate=16000, options={"frame_duration": "20"})(
        np.zeros(320, np.int16)
    )
    assert len(Decoder("libopus", 48000)(payload)) == 960


def test_what_is_no_payload_is_refused_and_nothing_is_nothing():
    decode = Decoder("libopus", 48000)
    assert len(decode(b"")) == 0
    with pytest.raises(RemoteProtocolError, match="payload of 3 bytes"):
        decode(b"\xff\xff\xff")
