import pytest

from opensip.settings.ports import shortage, warnings


def kernel(tmp_path, chosen="32768\t60999\n", reserved="\n"):
    (tmp_path / "ip_local_port_range").write_text(chosen)
    (tmp_path / "ip_local_reserved_ports").write_text(reserved)
    return tmp_path


@pytest.mark.parametrize(
    ("first", "last", "reserved", "shared"),
    [
        (20000, 29999, "", ""),
        (20000, 32767, "", ""),
        (61000, 65535, "", ""),
        (20000, 40000, "", "32768 to 40000"),
        (50000, 65535, "", "50000 to 60999"),
        (40000, 49999, "8080,40000-49999", ""),
        (40000, 49999, "40000-49998", "40000 to 49999"),
    ],
)
def test_ports_that_the_kernel_hands_out_too(tmp_path, first, last, reserved, shared):
    told = list(warnings(first, last, kernel=kernel(tmp_path, reserved=reserved + "\n")))
    assert len(told) == bool(shared)
    assert not shared or f"media ports {shared} are" in told[0]
    assert not shared or f"ip_local_reserved_ports={shared.replace(' to ', '-')}" in told[0]


def test_a_system_that_does_not_tell(tmp_path):
    assert not list(warnings(40000, 49999, kernel=tmp_path))
    assert not list(warnings(40000, 49999, kernel=kernel(tmp_path, chosen="all\n")))


@pytest.mark.parametrize(
    ("first", "last", "calls", "enough"),
    [(20000, 20001, 1, ""), (20001, 20004, 2, "1"), (20000, 20004, 3, "2"),
     (20000, 20003, 0, ""), (20000, 29999, 5000, ""), (20000, 29999, 5001, "5000")],
)  # fmt: skip
def test_more_calls_than_pairs_of_ports(first, last, calls, enough):
    told = list(shortage(first, last, calls))
    assert len(told) == bool(enough)
    assert not enough or f"pairs for {enough} at once" in told[0]
