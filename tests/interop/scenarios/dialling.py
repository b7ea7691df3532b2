"""A run of `opensip dial` that calls a peer on this machine."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tests.interop.server import opensip

NUMBER = "+19195551234"
PASSWORD = "correct horse"
REALM = "trunk.example"
CONFIG = """\
data = "{folder}/data"
agent_files = []
trunk_files = []
[[sip.listeners]]
transport = "UDP"
host = "127.0.0.1"
port = 5060
[media]
address = "127.0.0.1"
first_port = 37000
last_port = 37999
[trunks.carrier]
srtp = "off"
first_timeout = 300.0
[trunks.carrier.outbound]
termination = "sip:127.0.0.1:{port}"
username = "opensip"
password = "file:{folder}/password"
realms = ["trunk.example"]
caller_ids = ["+15550001111"]
"""


class Dialling:
    """`opensip dial` on its way to 127.0.0.1:`port`; `done` tells how that ended."""

    def __init__(self, folder: Path, port: int, *options: str) -> None:
        (folder / "password").write_text(PASSWORD + "\n")
        config = folder / "opensip.toml"
        config.write_text(CONFIG.format(folder=folder, port=port))
        self._pool = ThreadPoolExecutor(1)
        self._run: Future[str] = self._pool.submit(
            lambda: opensip(
                "dial", NUMBER, "--trunk", "carrier", "--agent", "tone",
                "--config", str(config), *options,
            ).stdout
        )  # fmt: skip

    def done(self) -> str:
        """What it said in the end."""
        return self._run.result(120)

    def close(self) -> None:
        """Let go once it has ended."""
        self._pool.shutdown()
