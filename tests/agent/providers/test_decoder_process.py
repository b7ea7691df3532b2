import io
import json

import numpy as np
import pytest

from opensip.agent import grammar
from opensip.agent.providers.decoder_process import coverage, fit, serve, voiced

JSGF = grammar.to_jsgf([grammar.parse("yes | no | <digits:4>")])


def test_coverage_is_the_share_of_the_voice_within_words():
    samples = np.zeros(160 * 100, np.int16)
    samples[160 * 20 : 160 * 40] = 4000
    samples[160 * 60 : 160 * 80] = 4000
    assert coverage(voiced(samples), [(20, 40), (60, 80)]) == 1.0
    assert coverage(voiced(samples), [(20, 40)]) == 0.5
    assert coverage(voiced(samples), []) == 0.0
    assert coverage(voiced(np.zeros(50, np.int16)), [(0, 5)]) == 0.0


def test_an_even_noise_is_no_voice_and_a_word_in_it_is():
    sound = np.random.default_rng(1).normal(0, 1000, 16000)
    assert not voiced(sound.astype(np.int16)).any()
    sound[160 * 40 : 160 * 60] += 8000 * np.sin(np.arange(160 * 20))
    assert voiced(sound.astype(np.int16))[40:60].all()


def test_a_likelihood_too_small_for_a_float_is_no_fit():
    assert fit(1.0, 10) == 0.0
    assert fit(0.0, 10) == -10.0
    assert fit(1.0, 200) == -10.0  # no word lasts two seconds


@pytest.mark.e2e
def test_requests_are_answered_one_by_one_until_the_input_ends():
    pytest.importorskip("pocketsphinx", reason="the extra speech is not installed")
    sound = np.random.default_rng(1).normal(0, 300, 8000)
    sound[2000:4000] *= 10
    noise = sound.astype(np.int16).tobytes()
    requests = b"".join(
        json.dumps({"jsgf": jsgf, "bytes": len(audio)}).encode() + b"\n" + audio
        for jsgf, audio in ((JSGF, b""), (JSGF, noise), ("no grammar", noise), (JSGF, b""))
    )
    answers = io.BytesIO()
    serve(io.BytesIO(requests), answers)
    first, second, third, fourth = map(json.loads, answers.getvalue().splitlines())
    assert first["text"] == fourth["text"] == ""
    assert second.keys() == {"text", "score", "worst", "coverage", "nearly"}
    assert "error" in third
