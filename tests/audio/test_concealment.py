import numpy as np
import pytest

from opensip.audio.concealment import BLEND_UNLIKE, FADE, HOLD, PAUSE, SHARE, Concealment
from opensip.audio.level import dbfs

BRIDGED = 32  # samples after which the step to the repeated sound is gone


def tone(hz, start, count, amplitude=8000):
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(start, start + count) / 8000)).astype(
        np.int16
    )


def after(frames, hz=200, **more):
    made = Concealment()
    for n in range(frames):
        made.hear(tone(hz, 160 * n, 160, **more))
    return made


@pytest.mark.parametrize("hz", [80, 100, 125, 200, 250])
def test_a_voice_goes_on_in_its_own_pitch(hz):
    made = after(10, hz)
    stand_in = made.make(80).astype(float)
    truth = SHARE * tone(hz, 1600, 80).astype(float)
    assert np.sqrt(((stand_in - truth) ** 2)[BRIDGED:].mean()) < 0.12 * 8000


def test_it_begins_where_the_true_sound_ended():
    made = Concealment()
    wave = tone(207, 0, 801)  # its period is no whole sample
    for frame in np.split(wave[:800], 5):
        made.hear(frame)
    assert abs(int(made.make(160)[0]) - int(wave[800])) < 200


def test_it_fades_and_leaves_the_background():
    made = after(10)
    frames = [made.make(160) for _ in range(20)]
    levels = [dbfs(frame) for frame in frames]
    assert levels[0] > levels[1] > max(levels[2:])
    assert HOLD + FADE == 3 * 160
    assert {round(level / 5) for level in levels[4:]} <= {-16, -15, -14, -13}


def test_a_quiet_voice_is_not_repeated():
    made = after(10, amplitude=700)
    assert not made.make(PAUSE).any()


def test_where_a_voice_began_it_does_not_grow():
    made = Concealment()
    made.hear(tone(200, 1440, 160, amplitude=2000))
    made.hear(tone(200, 1600, 160))
    assert np.abs(made.make(160).astype(int)).max() <= 8000


def test_what_fell_a_little_falls_on():
    level, falling = after(10), after(10)
    falling.hear((tone(200, 1600, 160) * np.linspace(1, 0.9, 160)).astype(np.int16))
    lower = dbfs(level.make(160)[80:]) - dbfs(falling.make(160)[80:])
    assert lower > 2


def test_a_hiss_is_not_repeated_and_comes_back_as_it_is():
    made, dice = Concealment(), np.random.default_rng(5)
    for _ in range(5):
        made.hear(dice.normal(0, 2000, 160).astype(np.int16))
    assert not made.make(160).any()
    back = dice.normal(0, 2000, 160).astype(np.int16)
    assert made.hear(back).tobytes() == back.tobytes()


def test_what_comes_unlike_what_was_expected_keeps_its_beginning():
    made = after(10)
    made.make(160)
    back = -tone(200, 1760, 160)
    heard = made.hear(back)
    assert heard[BLEND_UNLIKE:].tobytes() == back[BLEND_UNLIKE:].tobytes()
    assert heard[:BLEND_UNLIKE].tobytes() != back[:BLEND_UNLIKE].tobytes()


def test_a_background_that_the_peer_told_of_goes_on_at_once():
    made, dice = Concealment(), np.random.default_rng(5)
    made.hear(dice.normal(0, 60, 160).astype(np.int16))
    made.set_noise(60)
    assert dbfs(made.make(160)[80:]) > 20 * np.log10(60 / 32768) - 6


def test_the_background_is_as_loud_as_it_was():
    made, dice = Concealment(), np.random.default_rng(3)
    for _ in range(300):
        made.hear(dice.normal(0, 60, 160).astype(np.int16))
    made.make(480)
    assert dbfs(made.make(1600)) == pytest.approx(20 * np.log10(60 / 32768), abs=2.5)


def test_a_loud_voice_does_not_become_a_loud_background():
    made = after(500)
    made.make(480)
    assert dbfs(made.make(1600)) < -49


def test_the_true_sound_takes_over_without_a_click():
    made = after(10)
    lost = made.make(160)
    back = made.hear(tone(200, 1760, 160))
    steps = np.abs(np.diff(np.concatenate((lost, back)).astype(int)))
    assert steps.max() < 2000
    assert back[40:].tobytes() == tone(200, 1760, 160)[40:].tobytes()


def test_what_was_never_heard_is_nearly_nothing():
    assert dbfs(Concealment().make(160)) < -60


def test_short_and_long_frames():
    made = Concealment()
    for count in (1, 7, 1000):
        assert len(made.hear(tone(200, 0, count))) == count
        assert len(made.make(count)) == count
        assert len(made.hear(tone(200, 0, 3))) == 3
