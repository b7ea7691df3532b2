from opensip.agent.health import Health, Healths


def test_faults_in_a_row_double_the_rest_up_to_a_minute():
    now = [0.0]
    health = Health(clock=lambda: now[0])
    rests = []
    for _ in range(6):
        health.failed()
        before = now[0]
        while health.resting:
            now[0] += 1.0
        rests.append(now[0] - before)
    assert rests == [5, 10, 20, 40, 60, 60]
    health.failed(90.0)
    assert health.resting
    health.worked()
    assert not health.resting


def test_after_a_rest_one_call_tries_for_all():
    now = [0.0]
    health = Health(clock=lambda: now[0])
    assert all(health.tried() for _ in range(3))  # who is well is asked by everybody
    health.failed()
    assert not health.tried()
    now[0] = 5.1
    assert [health.tried() for _ in range(3)] == [True, False, False]
    now[0] = 15.2  # that call never came to ask it
    assert [health.tried() for _ in range(2)] == [True, False]
    health.worked()
    assert all(health.tried() for _ in range(3))
    for _ in range(2):
        health.failed()
    now[0] = 20.3  # the second fault in a row doubled the rest
    assert not health.tried()
    now[0] = 25.3
    assert health.tried()


def test_a_probe_that_gets_through_brings_it_back_for_all_once():
    now = [0.0]
    health = Health(clock=lambda: now[0])
    health.failed()
    health.watched = True
    now[0] = 100.0
    assert health.resting  # until the probe has found it
    assert health.ill
    health.answered()
    assert [health.tried() for _ in range(3)] == [True] * 3
    assert not health.ill
    health.failed()  # it took the probe and no call
    assert health.rest == 10
    health.answered()
    assert [health.tried() for _ in range(3)] == [True, False, False]
    assert health.worked()
    assert not health.worked()
    assert [health.tried() for _ in range(3)] == [True] * 3


def test_all_calls_share_one():
    healths = Healths()
    assert healths.of("c", print).probe is print
    assert healths.of("c").probe is print
    assert healths.of("a") is healths.of("a")
    assert healths.of("a") is not healths.of("b")
