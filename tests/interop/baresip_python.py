"""Starts telephones on baresip-python, each in a process of its own."""

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.interop.server import ROOT

needs_baresip_python = pytest.mark.skipif(
    importlib.util.find_spec("baresip") is None,
    reason="baresip-python is not installed: run scripts/setup",
)

SECONDS = 60.0


class PythonPhone:
    """python_phone.py with its settings and steps; what it heard is left in `folder`."""

    def __init__(self, folder: Path, settings: Mapping[str, Any], *steps: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "python_phone.log"
        self._log = self._path.open("wb")
        script = Path(__file__).with_name("python_phone.py")
        command = [sys.executable, "-P", script, json.dumps(settings), folder, *steps]
        self._process = subprocess.Popen(
            command, stdout=self._log, stderr=subprocess.STDOUT, cwd=ROOT
        )

    def log(self) -> str:
        """What it printed so far."""
        return self._path.read_text(errors="replace")

    def wait_for(self, line: str, seconds: float = SECONDS) -> None:
        """Wait until it has printed a line: "ready", or a step that is done."""
        end = time.monotonic() + seconds
        while line not in self.log().splitlines():
            assert self._process.poll() is None, f"it ended before {line}:\n{self.log()}"
            assert time.monotonic() < end, f"no {line} in {seconds} s:\n{self.log()}"
            time.sleep(0.02)

    def finish(self) -> None:
        """Wait until all steps are taken."""
        try:
            assert self._process.wait(SECONDS) == 0, self.log()
        finally:
            self.close()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self._log.close()
