import asyncio
import shutil

import numpy as np
import pytest

from opensip.audio.tones import tone
from opensip.cli.loop import fastest_loop
from opensip.phone.voice import muted, voice_of


async def hum(text, rate):
    return tone(440, 0.3, rate)


def test_a_muted_voice_is_silent_for_as_long():
    samples = asyncio.run(muted(hum)("hello", 8000))
    assert len(samples) == 2400
    assert not np.any(samples)


@pytest.mark.skipif(not shutil.which("flite"), reason="flite is not installed")
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, fastest_loop])
def test_flite_speaks_at_the_rate_of_the_call(loop):
    with asyncio.Runner(loop_factory=loop) as runner:
        samples = runner.run(voice_of("slt")(f"hello there {loop.__name__[0]}", 8000))
    assert 4000 < len(samples) < 16000
    assert np.abs(samples).max() > 3000
