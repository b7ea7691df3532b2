"""Bandwidth's bidirectional streams: start, media, stop; playAudio and clear. No marks, no keys.

Sound of the caller is PCMU; a bot plays PCMU, or linear PCM of 8000, 16000 or 24000 Hz.
Source: Bandwidth's description of StartStream, and the serializer pipecat-bandwidth 0.1.
"""

import re
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

RATES = (8000, 16000, 24000)  # Hz, of PCM that is played
_TRACK = "inbound"
_PCM = re.compile(r"audio/pcm((?:;[a-z-]+=[a-z0-9]+)*)")
_FIXED = {"channels": "1", "bit-depth": "16", "endian": "little", "encoding": "signed"}


def write_event(event: Event, *, stream: str, number: int) -> str:
    """Write what the carrier tells; "" where Bandwidth would tell nothing."""
    match event:
        case Start():
            told: dict[str, object] = {
                "eventType": "start",
                "metadata": _metadata(event),
                "streamParams": dict(event.parameters),
            }
        case Heard(payload):
            told = {
                "eventType": "media",
                "track": _TRACK,
                "payload": base64_of(payload),
                "sequenceNumber": str(number),
            }
        case Stop():
            told = {"eventType": "stop", "metadata": _metadata(event)}
        case Connected() | Key() | Reached():
            return ""
        case _:
            assert_never(event)
    return written(told)


def read_event(message: str) -> Event | None:
    """Read what the carrier tells; None: of another kind, or sound that is not the caller's."""
    fields = fields_of(message)
    match fields.text("eventType"):
        case "start":
            return _started(fields)
        case "media" if fields.text("track", _TRACK) == _TRACK:
            return Heard(fields.octets("payload"))
        case "stop":
            data = fields.inner("metadata")
            return Stop(data.text("streamId"), data.text("callId"), data.text("accountId", ""))
    return None


def write_command(command: Command, stream: str = "") -> str:
    """Write what a bot wants; "" for a mark, which this format has not."""
    match command:
        case Play(payload, rate):
            media = {"contentType": _content(rate), "payload": base64_of(payload)}
            return written({"eventType": "playAudio", "media": media})
        case Clear():
            return written({"eventType": "clear"})
        case Mark():
            return ""


def read_command(message: str) -> Command | None:
    """Read what a bot wants; None: of another kind."""
    fields = fields_of(message)
    match fields.text("eventType"):
        case "playAudio":
            media = fields.inner("media")
            rate = _rate(media.text("contentType", "audio/pcmu"))
            payload = media.octets("payload")
            if rate and len(payload) % 2:
                raise RemoteProtocolError(
                    f"media stream: media.payload has {len(payload)} octets of 16-bit PCM: odd"
                )
            return Play(payload, rate)
        case "clear":
            return Clear()
    return None


def _metadata(event: Start | Stop) -> dict[str, object]:
    form = {"encoding": "PCMU", "sampleRate": 8000}
    return {
        "accountId": event.account,
        "callId": event.call,
        "streamId": event.stream,
        "streamName": "opensip",
        "tracks": [{"name": _TRACK, "mediaFormat": form}],
    }


def _started(fields: Fields) -> Start:
    data = fields.inner("metadata")
    return Start(
        data.text("streamId"),
        data.text("callId"),
        data.text("accountId", ""),
        fields.texts("streamParams"),
    )


def _content(rate: int) -> str:
    if not rate:
        return "audio/pcmu"
    if rate not in RATES:
        raise RemoteProtocolError(f"media stream: PCM of {rate} Hz; it is one of {RATES}")
    return f"audio/pcm;rate={rate};" + ";".join(f"{key}={is_}" for key, is_ in _FIXED.items())


def _rate(content: str) -> int:
    """Tell the rate of PCM, 0 for µ-law. Raises RemoteProtocolError for anything else."""
    plain = content.lower().replace(" ", "")
    if plain in ("audio/pcmu", "pcmu"):
        return 0
    found = _PCM.fullmatch(plain)
    given = dict(part.split("=") for part in found[1].split(";") if part) if found else {}
    rate = given.pop("rate", "")
    fits = all(_FIXED.get(key) == value for key, value in given.items())
    if not found or not fits or rate not in map(str, RATES):
        raise RemoteProtocolError(
            f"media stream: media.contentType {shown(content)} is neither audio/pcmu nor"
            f" audio/pcm;rate=8000, 16000 or 24000 of one channel, 16 bits, little-endian"
        )
    return int(rate)
