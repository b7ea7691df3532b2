import resource
from dataclasses import replace

import pytest

from opensip.server import open_files
from opensip.settings.schema import CallsTable, MediaTable, ServerTable


@pytest.fixture
def limits(monkeypatch):
    """The limits of a process, soft and hard, without the system's."""
    told = [1024, 4096]

    def change(_, wanted):
        if wanted[0] > 100_000:
            raise ValueError("not that many")
        told[:] = wanted

    monkeypatch.setattr(resource, "getrlimit", lambda _: tuple(told))
    monkeypatch.setattr(resource, "setrlimit", change)
    return told


def server(max_calls):
    return replace(
        ServerTable(), calls=CallsTable(max_calls=max_calls), media=MediaTable(last_port=20999)
    )


def test_the_soft_limit_is_raised_to_the_hard_one(limits):
    assert open_files.raise_limit() == 4096
    assert limits == [4096, 4096]
    assert open_files.raise_limit() == 4096


def test_a_system_that_refuses_leaves_it(limits):
    limits[1] = resource.RLIM_INFINITY
    assert open_files.raise_limit() in (1024, 1 << 30)


def test_what_is_missing_is_said_with_the_remedy(limits):
    assert open_files.shortage(server(800)) == ""
    told = open_files.shortage(server(2000))
    assert "enough for 849 calls at once, and calls.max_calls allows 2000" in told
    assert "or set it to 849" in told
    assert "LimitNOFILE=8700" in told
    assert open_files.shortage(server(0)) == ""  # 500 pairs of ports
    told = open_files.shortage(ServerTable())
    assert "enough for 849 calls at once, and calls.max_calls sets no limit" in told
    assert "raise the hard limit to 4700, enough for 1000 calls" in told


@pytest.mark.parametrize("max_calls", [0, 10])
def test_a_limit_that_is_too_low_for_any_call_has_one_remedy(limits, max_calls):
    limits[1] = 256
    told = open_files.shortage(server(max_calls))
    assert "may open 256 files, and 700 may be open besides those of calls" in told
    assert f"raise the hard limit to {700 + 4 * (max_calls or 500)}" in told
    assert "max_calls" not in told


def test_no_limit_is_enough(limits):
    limits[1] = resource.RLIM_INFINITY
    assert open_files.shortage(server(100_000)) == ""
