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
    assert "enough for 849 of 2000 calls" in told
    assert "LimitNOFILE=8700" in told
    assert open_files.shortage(server(0)) == ""  # 500 pairs of ports
    assert "of 1000 calls" in open_files.shortage(ServerTable())


def test_no_limit_is_enough(limits):
    limits[1] = resource.RLIM_INFINITY
    assert open_files.shortage(server(100_000)) == ""
