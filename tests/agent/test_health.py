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


def test_all_calls_share_one():
    healths = Healths()
    assert healths.of("a") is healths.of("a")
    assert healths.of("a") is not healths.of("b")
