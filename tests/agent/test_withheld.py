from opensip.agent.withheld import Asked, Refused


def test_the_first_time_is_the_usual():
    assert not Asked("pay", {}, "May I?").again
    assert Refused("pay", {}, "enough").times == 1
