"""The server that benchmarks call: `opensip serve`, whose agent `echo` answers one number."""

import sys
from contextlib import AbstractContextManager
from pathlib import Path

from scripts.benches.process import HOST, pinned, serving

NUMBER = "+15552003000"
CONFIG = """\
data = "{folder}/data"
agent_files = []
trunk_files = []

[media]
address = "{host}"
first_port = 20000
last_port = 59999
"""
LISTENER = """
[[sip.listeners]]
transport = "{transport}"
host = "{host}"
port = {port}
"""
ALLOWLIST = """
[trunks.allowlist]
networks = ["{host}/32"]
srtp = "{srtp}"
recording = "off"
{more}[trunks.allowlist.numbers]
"{number}" = "echo"
"""


def configure(
    folder: Path, ports: dict[str, int], *, srtp: str = "off", trunk: str = "", more: str = ""
) -> Path:
    """Write a configuration with a listener for each transport of `ports`, and give its place.

    Its trunk is HOST by network, with the lines of `trunk` besides; `more` are further tables.
    Data, records among them, come to lie in `folder`/data.
    """
    text = CONFIG.format(folder=folder, host=HOST)
    for transport, port in ports.items():
        text += LISTENER.format(transport=transport, host=HOST, port=port)
    text += ALLOWLIST.format(host=HOST, srtp=srtp, more=trunk, number=NUMBER)
    config = folder / "opensip.toml"
    config.write_text(text + more)
    return config


def opensip(config: Path, *, core: int | None = 0) -> AbstractContextManager[int]:
    """Serve until the end of the block, on one core or on any; gives the process id.

    Its log is server.log beside the configuration.
    """
    command = [sys.executable, "-m", "opensip", "serve", "--config", str(config)]
    words = [] if core is None else pinned(core)
    return serving(words + command, config.with_name("server.log"), '"server_started"')
