import numpy as np

from opensip.agent.own_voice import OwnVoice, repeats
from opensip.audio.level import dbfs
from opensip.audio.tones import tone

RATE, BLOCK = 8000, 160


def speech(seconds, seed):
    """Make syllables: bursts of tone of random loudness and length."""
    random, parts = np.random.default_rng(seed), []
    while sum(map(len, parts)) < seconds * RATE:
        level = random.uniform(-30, -15)
        parts.append(tone(300, random.uniform(0.06, 0.2), RATE, level_dbfs=level))
        parts.append(np.zeros(int(random.uniform(0.04, 0.15) * RATE), np.int16))
    return np.concatenate(parts)[: int(seconds * RATE)]


def hear(own, heard, played=True):
    """Let it hear samples while its own are played; tells which frames it takes for echo."""
    found = []
    for n in range(len(heard) // BLOCK):
        level = dbfs(heard[n * BLOCK : (n + 1) * BLOCK])
        position = n * BLOCK if played else 0
        found.append(own.hear(n * 0.02, level, played=position, voiced=level > -50))
    return found


def test_what_comes_back_later_and_softer_is_known_after_a_while():
    own, said = OwnVoice(RATE), speech(6, 1)
    own.wrote(0, said)
    delay = 10 * BLOCK
    echo = np.concatenate([np.zeros(delay, np.int16), said[:-delay] // 8])
    found = hear(own, echo)
    assert own.echo is not None
    assert abs(own.echo[0] - 10) <= 1
    loud = [dbfs(echo[n * BLOCK : (n + 1) * BLOCK]) > -50 for n in range(len(found))]
    late = [f for n, f in enumerate(found) if n > 200 and loud[n]]
    assert sum(late) > 0.9 * len(late)
    assert not own.hear(6.0, -10.0, played=len(said) - 1, voiced=True)  # louder than any echo


def test_somebody_else_is_no_echo():
    for seed in range(2, 12):
        own = OwnVoice(RATE)
        own.wrote(0, speech(6, seed))
        assert not any(hear(own, speech(6, seed + 100)))


def test_a_tone_that_merely_begins_when_ours_did_is_no_echo():
    own = OwnVoice(RATE)
    own.wrote(0, tone(400, 3, RATE, level_dbfs=-10))
    heard = np.concatenate([np.zeros(8 * BLOCK, np.int16), tone(300, 2, RATE, level_dbfs=-20)])
    assert not any(hear(own, heard))


def test_without_a_voice_there_is_no_echo():
    assert not any(hear(OwnVoice(RATE), speech(1, 3)))


def test_words_that_the_agent_has_just_said():
    said = "Your order is on its way. It will arrive tomorrow."
    assert repeats("is on its way", said)
    assert not repeats("on the way", said)
    assert not repeats("order", said)  # one word is no proof
