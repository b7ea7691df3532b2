from opensip.media.strangers import MOST_A_SECOND, MOST_OF_ONE, Strangers


def admitted(strangers, host, count, *, now):
    return sum(strangers.admit((host, 4000 + n), now=now) for n in range(count))


def test_one_host_leaves_room_for_others_whatever_its_ports():
    strangers = Strangers()
    assert admitted(strangers, "192.0.2.1", 1000, now=5.0) == MOST_OF_ONE
    assert admitted(strangers, "192.0.2.2", 3, now=5.5) == 3


def test_all_together_have_a_part_too_and_a_second_later_another():
    strangers = Strangers()
    hosts = [f"192.0.2.{n}" for n in range(100)]
    assert sum(admitted(strangers, host, 9, now=5.0) for host in hosts) == MOST_A_SECOND
    assert not strangers.admit(("198.51.100.1", 1), now=5.99)
    assert strangers.admit(("198.51.100.1", 1), now=6.0)
    assert admitted(strangers, hosts[0], 9, now=6.0) == 9
