"""Twilio's Media Streams: bidirectional, µ-law of 8000 Hz, with marks and keys.

Numbers are texts, except in mediaFormat. Source: Twilio's description of WebSocket messages.
"""

from collections.abc import Callable, Mapping
from typing import assert_never

from opensip.errors import RemoteProtocolError
from opensip.media_streams.message import (
    Clear,
    Command,
    Connected,
    Event,
    Heard,
    Key,
    Mark,
    Play,
    Reached,
    Start,
    Stop,
)
from opensip.media_streams.reading import Fields, base64_of, fields_of, shown, written

FORMAT = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
_TRACK = "inbound"


def write_event(event: Event, *, stream: str, number: int) -> str:
    """Write what the carrier tells; `number` counts the messages after `connected`, from 1."""
    told: dict[str, object]
    match event:
        case Connected():
            return written({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        case Start():
            told = {"event": "start", "start": _start(event)}
        case Heard(payload, at):
            chunk = {"track": _TRACK, "chunk": str(max(number - 1, 1)), "timestamp": str(at)}
            told = {"event": "media", "media": chunk | {"payload": base64_of(payload)}}
        case Key(digit):
            told = {"event": "dtmf", "dtmf": {"track": f"{_TRACK}_track", "digit": digit}}
        case Reached(name):
            told = {"event": "mark", "mark": {"name": name}}
        case Stop():
            told = {"event": "stop", "stop": {"accountSid": event.account, "callSid": event.call}}
        case _:
            assert_never(event)
    return written({**told, "sequenceNumber": str(number), "streamSid": stream})


def read_event(message: str) -> Event | None:
    """Read what the carrier tells; None: of another kind, or sound that is not the caller's."""
    fields = fields_of(message)
    read = _READERS.get(fields.text("event"))
    return read(fields) if read else None


def write_command(command: Command, stream: str) -> str:
    """Write what a bot wants. Raises RemoteProtocolError for PCM, which this format has not."""
    match command:
        case Play(payload, 0):
            told: dict[str, object] = {"event": "media", "media": {"payload": base64_of(payload)}}
        case Play():
            raise RemoteProtocolError("media stream: Twilio plays µ-law of 8000 Hz, and no PCM")
        case Mark(name):
            told = {"event": "mark", "mark": {"name": name}}
        case Clear():
            told = {"event": "clear"}
        case _:
            assert_never(command)
    return written(told | {"streamSid": stream})


def read_command(message: str) -> Command | None:
    """Read what a bot wants; None: of another kind."""
    fields = fields_of(message)
    match fields.text("event"):
        case "media":
            return Play(fields.inner("media").octets("payload"))
        case "mark":
            return Mark(fields.inner("mark").text("name"))
        case "clear":
            return Clear()
    return None


def _start(event: Start) -> dict[str, object]:
    return {
        "streamSid": event.stream,
        "accountSid": event.account,
        "callSid": event.call,
        "tracks": [_TRACK],
        "mediaFormat": FORMAT,
        "customParameters": dict(event.parameters),
    }


def _started(fields: Fields) -> Start:
    start = fields.inner("start")
    form = start.inner("mediaFormat", wanted=False)
    encoding = form.text("encoding", "audio/x-mulaw")
    if encoding != "audio/x-mulaw":
        raise RemoteProtocolError(
            f"media stream: start.mediaFormat.encoding is {shown(encoding)}, not 'audio/x-mulaw'"
        )
    return Start(
        start.text("streamSid"),
        start.text("callSid"),
        start.text("accountSid", ""),
        start.texts("customParameters"),
    )


def _heard(fields: Fields) -> Heard | None:
    media = fields.inner("media")
    if media.text("track", _TRACK) != _TRACK:
        return None
    return Heard(media.octets("payload"), media.whole("timestamp"))


def _stopped(fields: Fields) -> Stop:
    stop = fields.inner("stop")
    return Stop(fields.text("streamSid", ""), stop.text("callSid", ""), stop.text("accountSid", ""))


_READERS: Mapping[str, Callable[[Fields], Event | None]] = {
    "connected": lambda fields: Connected(),
    "start": _started,
    "media": _heard,
    "dtmf": lambda fields: Key(fields.inner("dtmf").text("digit")),
    "mark": lambda fields: Reached(fields.inner("mark").text("name")),
    "stop": _stopped,
}
