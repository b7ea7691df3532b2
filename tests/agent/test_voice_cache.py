import numpy as np

from opensip.agent.voice_cache import VoiceCache


def test_the_longest_unused_words_are_forgotten():
    cache = VoiceCache(largest=100)
    for text in "abc":
        cache.put(("rms", text), np.zeros(40, np.int16))
        assert cache.get(("rms", "a")) is not None
    assert cache.get(("rms", "b")) is None
