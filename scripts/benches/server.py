"""The server that benchmarks call: `opensip serve`, where one agent answers one number."""

import json
import sys
from contextlib import AbstractContextManager
from pathlib import Path

from scripts.benches.process import HOST, pinned, serving

NUMBER = "+15552003000"
CONFIG = """\
data = "{folder}/data"
agent_files = {files}
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
"{number}" = "{agent}"
"""


def configure(
    folder: Path,
    ports: dict[str, int],
    *,
    srtp: str = "off",
    trunk: str = "",
    more: str = "",
    agent: Path | None = None,
) -> Path:
    """Write a configuration with a listener for each transport of `ports`, and give its place.

    Its trunk is HOST by network, with the lines of `trunk` besides; `more` are further tables.
    `agent` is the file of the agent that answers in place of `echo`. Data, records among them,
    come to lie in `folder`/data.
    """
    files = [] if agent is None else [str(agent)]
    text = CONFIG.format(folder=folder, host=HOST, files=json.dumps(files))
    for transport, port in ports.items():
        text += LISTENER.format(transport=transport, host=HOST, port=port)
    name = "echo" if agent is None else agent.stem
    text += ALLOWLIST.format(host=HOST, srtp=srtp, more=trunk, number=NUMBER, agent=name)
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
