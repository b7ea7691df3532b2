"""Servers for foreign peers: each with a short-named folder, for Unix sockets' paths are short."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.certificates import Authority


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="opensip-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("trusted"))
