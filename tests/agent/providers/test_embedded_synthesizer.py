import asyncio
import shutil

import numpy as np
import pytest

from opensip.agent.definition import Agent
from opensip.agent.providers import Brief, embedded_synthesizer
from opensip.agent.providers.embedded_synthesizer import EmbeddedSynthesizer, make
from opensip.audio.level import dbfs
from opensip.errors import ConfigError, ProviderError

with_flite = pytest.mark.skipif(not shutil.which("flite"), reason="flite is not installed")


def speak(synthesizer, text):
    async def main():
        return np.concatenate([piece async for piece in synthesizer.speak(text)])

    return asyncio.run(main())


@with_flite
@pytest.mark.e2e
@pytest.mark.parametrize("voice", embedded_synthesizer.VOICES)
def test_every_voice_speaks_at_8_khz_at_once(voice):
    audio = speak(EmbeddedSynthesizer(voice), "Where is my order?")
    assert audio.dtype == np.int16
    assert 0.6 < len(audio) / 8000 < 2.5
    assert dbfs(audio[:2400]) > -35  # no silence before the first word


@with_flite
@pytest.mark.e2e
def test_what_was_spoken_once_is_remembered():
    synthesizer = make(Brief(Agent("test", voice="kal")))
    first = speak(synthesizer, "Remember this.")
    synthesizer._flite = "/nowhere/flite"
    assert speak(synthesizer, "Remember this.") is not None
    assert np.array_equal(speak(synthesizer, "Remember this."), first)


def test_an_unknown_voice_is_named_with_the_known():
    with pytest.raises(ConfigError, match="no 'bob'; its voices are rms"):
        EmbeddedSynthesizer("bob")


def test_without_flite_the_package_is_named(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ConfigError, match="install the system package flite"):
        EmbeddedSynthesizer()


@pytest.mark.parametrize("program", ["/nowhere/flite", "/bin/true"])
def test_a_flite_that_fails_is_a_providers_error(monkeypatch, program):
    monkeypatch.setattr(shutil, "which", lambda name: program)
    with pytest.raises(ProviderError, match="flite failed"):
        speak(EmbeddedSynthesizer(), f"never said {program}")
