import json

import pytest

from opensip.errors import RemoteProtocolError
from opensip.media_streams import bandwidth
from opensip.media_streams.message import (
    Connected,
    Heard,
    Key,
    Mark,
    Play,
    Reached,
    Start,
)


def played(content, payload="/////w=="):
    media = {"contentType": content, "payload": payload}
    return bandwidth.read_command(json.dumps({"eventType": "playAudio", "media": media}))


def test_writes_as_bandwidth_does():
    start = bandwidth.write_event(Start("s-1", "c-1", "5", {"token": "t"}), stream="s-1", number=1)
    assert json.loads(start) == {
        "eventType": "start",
        "metadata": {
            "accountId": "5", "callId": "c-1", "streamId": "s-1", "streamName": "opensip",
            "tracks": [
                {"name": "inbound", "mediaFormat": {"encoding": "PCMU", "sampleRate": 8000}}
            ],
        },
        "streamParams": {"token": "t"},
    }  # fmt: skip
    heard = bandwidth.write_event(Heard(b"\xff"), stream="s-1", number=2)
    assert json.loads(heard) == {
        "eventType": "media", "track": "inbound", "payload": "/w==", "sequenceNumber": "2",
    }  # fmt: skip


@pytest.mark.parametrize("event", [Connected(), Key("5"), Reached("m")])
def test_has_no_word_for_keys_and_marks(event):
    assert bandwidth.write_event(event, stream="s", number=1) == ""
    assert bandwidth.write_command(Mark("m")) == ""


@pytest.mark.parametrize(
    ("content", "rate"),
    [
        ("audio/pcmu", 0),
        ("PCMU", 0),
        ("audio/pcm;rate=24000;channels=1;bit-depth=16;endian=little;encoding=signed", 24000),
        ("audio/pcm; rate=8000", 8000),
    ],
)
def test_reads_each_kind_of_sound(content, rate):
    assert played(content) == Play(b"\xff\xff\xff\xff", rate)


@pytest.mark.parametrize(
    "content",
    [
        "audio/pcm",
        "audio/pcm;rate=44100",
        "audio/pcm;rate=8000;channels=2",
        "audio/opus",
        "audio/pcmux",
    ],
)
def test_refuses_other_sound(content):
    with pytest.raises(RemoteProtocolError, match=r"media\.contentType"):
        played(content)


def test_refuses_half_a_sample_and_an_odd_rate():
    with pytest.raises(RemoteProtocolError, match="3 octets of 16-bit PCM"):
        played("audio/pcm;rate=8000", "////")
    with pytest.raises(RemoteProtocolError, match="PCM of 11025 Hz"):
        bandwidth.write_command(Play(b"", 11025))


def test_our_own_sound_is_nothing_that_was_heard():
    message = '{"eventType": "media", "track": "outbound", "payload": ""}'
    assert bandwidth.read_event(message) is None
