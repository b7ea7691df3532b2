import json

import pytest

from opensip.errors import RemoteProtocolError
from opensip.media_streams import twilio
from opensip.media_streams.message import Connected, Heard, Key, Play, Reached, Start, Stop


def written(event, number=4):
    return json.loads(twilio.write_event(event, stream="MZ1", number=number))


def test_writes_as_twilio_does():
    assert written(Connected()) == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    start = written(Start("MZ1", "CA1", "AC1", {"caller": "+1"}), 1)
    assert start == {
        "event": "start", "sequenceNumber": "1", "streamSid": "MZ1",
        "start": {
            "streamSid": "MZ1", "accountSid": "AC1", "callSid": "CA1", "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"caller": "+1"},
        },
    }  # fmt: skip
    assert written(Heard(b"\xff", 40))["media"] == {
        "track": "inbound", "chunk": "3", "timestamp": "40", "payload": "/w==",
    }  # fmt: skip
    assert written(Key("5"))["dtmf"] == {"track": "inbound_track", "digit": "5"}
    assert written(Reached("u1"))["mark"] == {"name": "u1"}
    stop = written(Stop("MZ1", "CA1", "AC1"))
    assert (stop["event"], stop["stop"]) == ("stop", {"accountSid": "AC1", "callSid": "CA1"})


def test_our_own_sound_is_nothing_that_was_heard():
    message = '{"event": "media", "media": {"track": "outbound", "payload": ""}}'
    assert twilio.read_event(message) is None


def test_refuses_another_encoding():
    with pytest.raises(RemoteProtocolError, match="'audio/opus', not 'audio/x-mulaw'"):
        twilio.read_event(
            '{"event": "start", "start": {"mediaFormat": {"encoding": "audio/opus"}}}'
        )


def test_refuses_to_play_pcm():
    with pytest.raises(RemoteProtocolError, match="no PCM"):
        twilio.write_command(Play(b"", 8000), "MZ1")
