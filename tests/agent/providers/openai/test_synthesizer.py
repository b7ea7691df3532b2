import asyncio

import numpy as np
import pytest

from opensip.agent.definition import Account, Agent
from opensip.agent.providers import Brief
from opensip.agent.providers.openai.client import close_shared
from opensip.agent.providers.openai.synthesizer import make
from opensip.audio.tones import tone
from opensip.errors import ProviderError
from tests.fakes.openai_server import RATE, Fault, OpenAiServer

VOICE = tone(400, 0.5, RATE)


def speak(*, fault=None, voice=VOICE, **more):
    async def main():
        async with OpenAiServer(voice=lambda text: voice) as server:
            server.faults["speech"] = [fault] if fault else []
            account = Account(
                base_url=server.base_url, synthesizer_model="says-1", voice="ada", **more
            )
            synthesizer = make(Brief(Agent("test"), "main", account))
            try:
                pieces = [piece async for piece in synthesizer.speak("Hello there.")]
                return pieces, server
            finally:
                await close_shared()

    return asyncio.run(main())


def test_samples_come_whole_and_in_pieces_whatever_the_chunks():
    pieces, server = speak(voice_instructions="slowly")
    assert len(pieces) > 2
    spoken = np.concatenate(pieces)
    assert np.array_equal(spoken, VOICE[len(VOICE) - len(spoken) :])
    assert len(VOICE) - len(spoken) < RATE * 0.01
    [request] = server.asked("speech")
    assert request == {"input": "Hello there.", "model": "says-1", "voice": "ada",
                       "instructions": "slowly", "response_format": "pcm"}  # fmt: skip


def test_silence_before_the_first_sound_is_left_out():
    pieces, _ = speak(voice=np.concatenate([np.zeros(RATE, np.int16), VOICE]))
    assert len(np.concatenate(pieces)) < len(VOICE) + RATE * 0.02


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault(status=401), "refused our key"),
        (Fault(status=500), "failed .500."),
        (Fault("half"), "gave application/json where PCM was asked for"),
        (Fault("silence"), "gave silence for 12000 samples"),
        (Fault("drop"), "the connection failed"),
        (Fault("hang"), "no further sound within 0.05 s"),
    ],
)
def test_each_fault_says_what_happened(fault, text):
    with pytest.raises(ProviderError, match=text):
        speak(fault=fault, synthesizer_seconds=0.05 if fault.kind == "hang" else 5.0)


@pytest.mark.parametrize(
    ("begin", "told"),
    [(b"RIFF$\0\0\0WAVE", "a WAV file"), (b"ID3\4", "an MP3 file"), (b"OggS", "an Ogg file")],
)
def test_a_file_that_a_server_calls_pcm_is_not_played(begin, told):
    octets = begin + bytes(len(begin) % 2) + VOICE.tobytes()
    with pytest.raises(ProviderError, match=f"main: gave {told} where PCM was asked for"):
        speak(voice=np.frombuffer(octets, "<i2"))


@pytest.mark.parametrize(
    ("content", "is_pcm"),
    [
        ("audio/pcm", True), ("audio/pcm;rate=24000", True), ("audio/L16", True), ("", True),
        ("application/octet-stream", True), ("audio/mpeg", False), ("audio/x-wav", False),
        ("audio/ogg; codecs=opus", False), ("audio/vnd.wave", False), ("Text/HTML", False),
    ],
)  # fmt: skip
def test_what_is_not_pcm_by_its_type_is_not_played(content, is_pcm):
    voice = make(Brief(Agent("test"), "main", Account(synthesizer_model="m", voice="v")))
    if is_pcm:
        voice._check(content)
        return
    with pytest.raises(ProviderError, match="where PCM was asked for"):
        voice._check(content)
