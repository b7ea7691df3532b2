import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def test_our_voice_is_over_once_no_echo_of_it_can_come_back():
    own = OwnVoice(RATE)
    assert own.is_over
    own.wrote(0, tone(400, 0.1, RATE))
    assert not own.is_over  # it is yet to be played
    over = []
    for n in range(50):
        own.hear(n * 0.02, -100.0, played=min(n * BLOCK, 5 * BLOCK), voiced=False)
        over.append(own.is_over)
    assert over.index(True) == pytest.approx(5 + 30, abs=2)
    assert all(over[over.index(True) :])


def test_where_nothing_came_back_while_we_spoke_nothing_comes_after_it():
    own, said = OwnVoice(RATE), speech(2, 5)
    own.wrote(0, said)
    for n in range(100):
        own.hear(n * 0.02, -75.0, played=n * BLOCK, voiced=False)
    assert not own.is_over
    own.hear(2.0, -75.0, played=len(said), voiced=False)
    own.hear(2.02, -20.0, played=len(said), voiced=True)  # somebody answers at once
    assert own.is_over
    own.wrote(len(said), speech(1, 6))
    own.hear(2.1, -20.0, played=len(said) + BLOCK, voiced=True)  # what is it?
    own.hear(2.2, -75.0, played=len(said) + 8000, voiced=False)
    assert not own.is_over


def test_an_echo_is_learned_that_comes_up_later_in_a_call():
    own, said = OwnVoice(RATE), speech(10, 1)
    own.wrote(0, said)
    echo = np.concatenate([np.zeros(10 * BLOCK, np.int16), said[: -10 * BLOCK] // 8])
    echo[: 3 * RATE] = 0  # a loudspeaker is switched on
    hear(own, echo)
    assert own.echo is not None
    assert abs(own.echo[0] - 10) <= 1


def test_without_a_voice_there_is_no_echo():
    assert not any(hear(OwnVoice(RATE), speech(1, 3)))


def test_words_that_the_agent_has_just_said():
    said = "Your order is on its way. It will arrive tomorrow."
    assert repeats("is on its way", said)
    assert not repeats("on the way", said)
    assert not repeats("order", said)  # one word is no proof
    assert repeats("order", said, least=1)
    assert repeats("it will arr", said)  # the last word is still coming
    assert not repeats("it wi arrive", said)
    assert not repeats("", said, least=1)
    assert not repeats("Your order is on its way. It will arrive tomorrow at nine", said)


def delayed(samples, ticks, gain_db):
    late = np.concatenate([np.zeros(ticks * BLOCK, np.int16), samples])[: len(samples)]
    return np.rint(late * 10 ** (gain_db / 20)).astype(np.int16)


@given(st.integers(3, 20), st.floats(-24, -10), st.integers(0, 50))
@settings(max_examples=15, deadline=None)
def test_any_usual_echo_is_known_within_four_seconds(ticks, gain_db, seed):
    own, said = OwnVoice(RATE), speech(5, seed)
    own.wrote(0, said)
    echo = delayed(said, ticks, gain_db)
    found = hear(own, echo)
    lag, gain = own.echo
    assert abs(lag - ticks) <= 1
    assert gain == pytest.approx(gain_db, abs=4)
    levels = [dbfs(echo[n * BLOCK : (n + 1) * BLOCK]) for n in range(len(found))]
    late = [is_echo for n, is_echo in enumerate(found) if n > 200 and levels[n] > -50]
    assert sum(late) >= 0.9 * len(late)


@given(st.integers(3, 20), st.floats(-30, -10), st.integers(0, 50))
@settings(max_examples=15, deadline=None)
def test_a_caller_much_louder_than_a_known_echo_is_none(ticks, gain_db, seed):
    own, said = OwnVoice(RATE), speech(6, seed)
    own.wrote(0, said)
    heard = delayed(said, ticks, gain_db)
    hear(own, heard[: 5 * RATE])
    loud = -15 + gain_db + 12  # our loudest syllable, come back, and 12 dB
    assert not any(
        own.hear(5 + n * 0.02, loud, played=5 * RATE + n * BLOCK, voiced=True) for n in range(40)
    )


def test_the_margin_over_the_echo_that_is_due():
    own = OwnVoice(RATE)
    own.wrote(0, tone(400, 2, RATE, level_dbfs=-20))
    for n in range(60):
        own.hear(n * 0.02, -70.0, played=n * BLOCK, voiced=False)
    own.echo = (5, -15.0)
    assert own.hear(1.2, -29.5, played=60 * BLOCK, voiced=True)  # due at -35, 6 dB more allowed
    assert not own.hear(1.22, -28.5, played=61 * BLOCK, voiced=True)


def test_a_voice_that_begins_right_after_ours_may_be_an_echo_until_the_echo_is_known():
    own = OwnVoice(RATE)
    assert not own.may_begin(0.0)  # nothing was said
    own.wrote(0, tone(400, 2, RATE, level_dbfs=-20))
    for n in range(100):
        played = (max(n - 10, 0) if n < 60 else 50) * BLOCK  # begins at 0.2 s, paused at 1.2 s
        own.hear(n * 0.02, -70.0, played=played, voiced=False)
    assert not own.may_begin(0.1)
    assert own.may_begin(0.3)
    assert own.may_begin(1.1)
    assert not own.may_begin(1.3)
    own.hear(2.0, -70.0, played=51 * BLOCK, voiced=False)  # it goes on: it begins anew
    assert own.may_begin(2.4)
    assert not own.may_begin(1.1)
    own.echo = (5, -15.0)
    assert not own.may_begin(2.4)


def test_a_position_that_is_counted_back_is_nothing_that_is_played():
    own = OwnVoice(RATE)
    own.wrote(0, tone(400, 2, RATE, level_dbfs=-20))
    for n in range(100):  # paused at 1 s; a codec of another rate counts a sample less
        played = min(n, 50) * BLOCK - (n > 80)
        own.hear(n * 0.02, -70.0, played=played, voiced=False)
    assert not own.may_begin(1.7)


def test_what_was_cut_is_not_played_any_more():
    own = OwnVoice(RATE)
    own.wrote(0, tone(400, 2, RATE, level_dbfs=-20))
    for n in range(50):
        own.hear(n * 0.02, -70.0, played=(n + 1) * BLOCK, voiced=False)
    own.cut(51 * BLOCK)
    assert own.plays
    own.hear(1.0, -70.0, played=51 * BLOCK, voiced=False)
    assert not own.plays
    assert not own.is_over  # an echo of it may come back
    own.hear(1.7, -70.0, played=51 * BLOCK, voiced=False)
    assert own.is_over


def test_silence_as_a_whole_is_the_same_as_tick_by_tick():
    whole, parts = OwnVoice(RATE), OwnVoice(RATE)
    for own in (whole, parts):
        own.wrote(0, speech(2, 4))
    for n in range(10):
        played = (n + 1) * 5 * BLOCK
        whole.hear(n * 0.1, -100.0, played=played, voiced=False, seconds=0.1)
        for tick in range(5):
            so_far = played - (4 - tick) * BLOCK
            parts.hear(n * 0.1 + tick * 0.02, -100.0, played=so_far, voiced=False)
    assert whole.__dict__ == parts.__dict__


def test_what_is_heard_late_in_pieces_is_the_same_as_in_time():
    late, in_time = OwnVoice(RATE), OwnVoice(RATE)
    for own in (late, in_time):
        own.wrote(0, speech(2, 4))
    for n in range(90):
        in_time.hear(n * 0.02, -30.0 - n % 7, played=(n + 1) * BLOCK, voiced=True)
        of_ten = 9 - n % 10
        played, behind = (n + of_ten + 1) * BLOCK, of_ten * 0.02
        late.hear(n * 0.02, -30.0 - n % 7, played=played, voiced=True, behind=behind)
    assert late.__dict__ == in_time.__dict__


@pytest.mark.parametrize(("level", "far"), [(-20, False), (-36, False), (-48, True)])
def test_what_is_far_softer_than_ours_is_told(level, far):
    own = OwnVoice(RATE)
    own.wrote(0, tone(300, 3, RATE, level_dbfs=-20))
    hear(own, tone(250, 2, RATE, level_dbfs=level))
    assert own.is_far_below(1.5) is far
    assert own.is_far_below(0.0) is far  # longer than is remembered


def test_it_is_kept_when_an_echo_was_known_first():
    own, said = OwnVoice(RATE), speech(6, 1)
    assert own.known_from == float("inf")
    own.wrote(0, said)
    hear(own, np.concatenate([np.zeros(10 * BLOCK, np.int16), said // 8])[: len(said)])
    assert 0.5 < own.known_from < 4.0
