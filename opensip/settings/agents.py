"""Loads one agent, by its name or its file, with what the server's file has for it."""

from collections.abc import Mapping
from pathlib import Path

from opensip.agent.definition import LINE_TESTS, Agent
from opensip.errors import ConfigError
from opensip.settings.load import agent_paths, parse, read_agent
from opensip.settings.schema import ServerTable
from opensip.settings.table import Mistakes, Reading, nearest, read

_OF_AGENTS = ("agent_files", "directory", "providers")  # keys of the server's file


def load_agent(
    which: str, config: Path, *, environ: Mapping[str, str] | None = None
) -> tuple[Agent, Path]:
    """Load the agent `which`: a name, or the path of a file. Raises Mistakes, ConfigError.

    The rest of the configuration need not be right, and for a file there need not be any.
    Returns its file too.
    """
    is_path = which.endswith(".toml")
    server = _server(config, environ) if config.is_file() or not is_path else ServerTable()
    path = Path(which) if is_path else _path_of(which, server, config)
    found: list[str] = []
    unable: list[str] = []
    agent = read_agent(path, server, found, unable, environ, file=config)
    if found or unable or agent is None:
        raise Mistakes(found + unable)
    return agent, path


def _server(config: Path, environ: Mapping[str, str] | None) -> ServerTable:
    reading = Reading(config, environ)
    table = {key: value for key, value in parse(reading).items() if key in _OF_AGENTS}
    server = read(ServerTable, table, reading)
    if server is None:
        raise Mistakes(reading.mistakes)
    return server


def _path_of(name: str, server: ServerTable, config: Path) -> Path:
    found: list[str] = []
    paths = {path.stem: path for path in agent_paths(server, config, found)}
    if name in LINE_TESTS and name not in paths:
        raise ConfigError(f"agent {name!r} is there without a file: there is nothing to look at")
    if name not in paths:
        raise ConfigError(f"no agent {name!r} in {config}{nearest(name, paths)}")
    return paths[name]
