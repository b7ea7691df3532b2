"""The voices of phones: those of the embedded synthesizer."""

import numpy as np

from opensip.agent.definition import Agent
from opensip.agent.providers import Brief, Synthesizer, factory, sound_of
from opensip.audio.frame import Samples
from opensip.audio.resample import resample
from opensip.phone.caller import Speak

VOICES = ("slt", "rms", "awb", "kal16", "kal")  # of flite


def voice_of(name: str, *, mute: bool = False) -> Speak:
    """Make what speaks with a voice of flite; `mute` gives silence as long as the speech."""
    synthesizer: Synthesizer = factory("synthesizer", "embedded")(Brief(Agent("phone", voice=name)))

    async def speak(text: str, rate: int) -> Samples:
        pieces = [sound_of(piece) async for piece in synthesizer.speak(text)]
        return resample(np.concatenate(pieces), synthesizer.rate, rate)

    return muted(speak) if mute else speak


def muted(speak: Speak) -> Speak:
    """Make of a voice one that says nothing for as long as it would have spoken."""

    async def say_nothing(text: str, rate: int) -> Samples:
        return np.zeros_like(await speak(text, rate))

    return say_nothing
