"""The control socket of a running server: `opensip check --live` asks, one JSON object answers."""

import asyncio
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from opensip.errors import ConfigError, TransportFailed

NAME = "control.sock"
LONGEST_PATH = 107  # bytes of a Unix socket's path that Linux takes
TIMEOUT = 5.0  # seconds that a live server may take to answer

Status = dict[str, Any]


class ControlSocket:
    """Answers every connection with the server's status and closes it.

    Only the server's own user may connect: the socket is made with mode 600.
    """

    def __init__(self, data: Path, status: Callable[[], Status]) -> None:
        self.path = data / NAME
        self._status = status
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. Raises ConfigError where the path is too long or another server has it."""
        if len(os.fsencode(self.path)) > LONGEST_PATH:
            raise ConfigError(f"{self.path} is too long for a socket: choose a shorter `data`")
        if _answers(self.path):
            raise ConfigError(f"a server runs already on {self.path.parent}: stop it first")
        self.path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._answer, self.path)
        finally:
            os.umask(before)

    async def close(self) -> None:
        """Stop listening and take the socket away."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self.path.unlink(missing_ok=True)

    async def _answer(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(json.dumps(self._status()).encode() + b"\n")
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        except ConnectionError:
            pass  # who asked is gone: nothing is lost


def ask(data: Path) -> Status:
    """Ask the server on the data directory `data` for its status."""
    path = data / NAME
    received = b""
    try:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(TIMEOUT)
            asking.connect(str(path))
            while more := asking.recv(65536):
                received += more
    except OSError as error:
        raise TransportFailed(
            f"no server answers on {path} ({error.strerror or error}): is it running, and "
            "with this configuration, or another --config?"
        ) from error
    status: Status = json.loads(received)
    return status


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(TIMEOUT)
        return asking.connect_ex(str(path)) == 0
