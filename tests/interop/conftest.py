"""Servers for foreign peers: each with a short-named folder, for Unix sockets' paths are short."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="opensip-") as name:
        yield Path(name)
