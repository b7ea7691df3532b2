"""What a caller hears while others are asked to take the call."""

import asyncio

from opensip.audio.frame import AudioSink
from opensip.audio.tones import hold_tone

_AHEAD = 1.0  # seconds kept written, so that a busy loop is not heard
_LOOK = 0.25  # seconds
_PERIOD = 2.0  # seconds; with what comes before and after, silence never lasts three


async def play_hold_tone(sink: AudioSink) -> None:
    """Play the hold tone until cancelled; flush the sink then."""
    piece = hold_tone(sink.rate)[: round(_PERIOD * sink.rate)]
    while True:
        while sink.queued() < _AHEAD * sink.rate:
            sink.write(piece)
        await asyncio.sleep(_LOOK)
