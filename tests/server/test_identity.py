import asyncio
from dataclasses import replace

import pytest

from opensip.errors import ConfigError, TransportFailed
from opensip.server import identity
from opensip.server.identity import IdentityCheck
from opensip.settings.schema import IdentityTable, ServerTable
from opensip.ua.verification import Verifier
from tests.fakes.stir import stir

__all__ = ["stir"]


@pytest.fixture
def roots(tmp_path, stir):
    file = tmp_path / "roots.pem"
    file.write_bytes(stir.pem)
    return file


def served(*tables):
    """Make a verifier of each `[identity]`, one after the other."""

    async def main():
        check = IdentityCheck(now=asyncio.get_running_loop().time)
        try:
            return [check.verifier(ServerTable(identity=table)) for table in tables]
        finally:
            await check.close()

    return asyncio.run(main())


def test_without_roots_there_is_no_verifier(roots):
    nothing, verifier = served(IdentityTable(), IdentityTable(anchors=roots))
    assert nothing is None
    assert isinstance(verifier, Verifier)


def test_roots_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(ConfigError, match="absent"):
        served(IdentityTable(anchors=tmp_path / "absent.pem"))


class Web:
    """Stands for fetching: tells within which rules it was."""

    def __init__(self, rules, lookup):
        self._rules = rules

    async def get(self, url):
        raise TransportFailed(f"ports {self._rules.ports}")


def test_fetching_follows_the_rules_of_the_last_reload(monkeypatch, roots):
    monkeypatch.setattr(identity, "GuardedHttps", Web)

    async def main():
        check = IdentityCheck(now=asyncio.get_running_loop().time)
        table = IdentityTable(anchors=roots, ports=(443,))
        why = []
        for n, changed in enumerate((table, replace(table, ports=(444,)), IdentityTable())):
            check.verifier(ServerTable(identity=changed))
            with pytest.raises(TransportFailed) as caught:
                await check.fetch(f"https://h/{n}")
            why.append(str(caught.value))
        await check.close()
        return why

    assert asyncio.run(main()) == [
        "ports (443,)",
        "ports (444,)",
        "no roots are configured any more",
    ]
