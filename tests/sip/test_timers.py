from opensip.sip.timers import Timers


def test_the_values_of_rfc_3261():
    timers = Timers()
    assert (timers.t1, timers.t2, timers.t4, timers.limit) == (0.5, 4.0, 5.0, 32.0)


def test_the_limit_follows_t1():
    assert Timers(t1=0.1).limit == 6.4
