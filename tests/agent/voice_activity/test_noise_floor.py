from opensip.agent.voice_activity.noise_floor import NoiseFloor


def feed(activity, level, seconds):
    return [activity.stands_out(level, 0.02) for _ in range(int(seconds / 0.02))]


def test_speech_stands_out_of_a_quiet_line():
    activity = NoiseFloor()
    assert not any(feed(activity, -70, 1))
    assert all(feed(activity, -25, 2))
    assert not any(feed(activity, -70, 1))


def test_steady_noise_becomes_the_floor():
    activity = NoiseFloor()
    feed(activity, -42, 15)
    assert not any(feed(activity, -42, 1))
    assert all(feed(activity, -22, 1))


def test_digital_silence_does_not_make_a_click_a_voice():
    activity = NoiseFloor()
    feed(activity, -100, 5)
    assert not any(feed(activity, -55, 1))


def test_a_loud_line_is_not_taken_for_noise_for_ever():
    activity = NoiseFloor()
    feed(activity, -10, 60)
    assert activity.threshold <= -20
