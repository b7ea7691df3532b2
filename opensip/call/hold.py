"""What a caller hears while others are asked to take the call, or while one of them holds it."""

import asyncio
from typing import Protocol

from opensip.audio.frame import AudioSink
from opensip.audio.tones import hold_tone

_AHEAD = 1.0  # seconds kept written, so that a busy loop is not heard
_LOOK = 0.25  # seconds
_QUIET = 0.5  # seconds without a packet after which who holds plays no music of its own
_PERIOD = 2.0  # seconds; with what comes before and after, silence never lasts three


class Holder(Protocol):
    """Who may send music while it holds, or nothing."""

    @property
    def quiet(self) -> float:
        """Seconds since the last packet came."""


async def play_hold_tone(sink: AudioSink) -> None:
    """Play the hold tone until cancelled; flush the sink then."""
    while True:
        _fill(sink)
        await asyncio.sleep(_LOOK)


async def play_hold_tone_for(holder: Holder, sink: AudioSink) -> None:
    """Play the hold tone whenever `holder` sends nothing, until cancelled; flushes the sink."""
    playing = False
    try:
        while True:
            if holder.quiet >= _QUIET:
                _fill(sink)
                playing = True
            elif playing:
                sink.flush()
                playing = False
            await asyncio.sleep(_LOOK)
    finally:
        if playing:
            sink.flush()


def _fill(sink: AudioSink) -> None:
    piece = hold_tone(sink.rate)[: round(_PERIOD * sink.rate)]
    while sink.queued() < _AHEAD * sink.rate:
        sink.write(piece)
