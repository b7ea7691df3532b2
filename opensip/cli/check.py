"""`opensip check`: what is wrong with a configuration, or what a running server does."""

import json
from pathlib import Path

import click

from opensip.agent import voice_activity
from opensip.agent.definition import TALKING, Agent
from opensip.carriers.trunk import Trunk
from opensip.server.control import Status, ask
from opensip.server.open_files import shortage
from opensip.settings.build import engine_in_use
from opensip.settings.load import Settings, load, parse
from opensip.settings.schema import ServerTable
from opensip.settings.table import Mistakes, Reading, read


@click.command("check")
@click.option("--config", type=click.Path(path_type=Path), default=Path("config/opensip.toml"),
              show_default=True, help="The server's configuration.")  # fmt: skip
@click.option("--live", is_flag=True, help="Ask the running server of this configuration.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(*, config: Path, live: bool, as_json: bool) -> None:
    """Check a configuration, or look at a running server.

    Every mistake of the configuration and of the files it names is told at once. With --live, a
    running server tells its calls, dialogs, transactions, ports and tasks.

    Example: opensip check --config config/opensip.toml
    """
    if live:
        status = ask(data_of(config))
        click.echo(json.dumps(status) if as_json else in_words(status))
        return
    settings = load(config)
    short = shortage(settings.server)
    warnings = [*settings.warnings, *([short] if short else [])]
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    if settings.unable:
        raise Mistakes([*settings.unable])
    if as_json:
        click.echo(json.dumps({"ok": True, "warnings": warnings}))
        return
    click.echo(_described(settings))


def in_words(status: Status) -> str:
    """Write the status of a server for people: counts first, then a line a call."""
    lines = [
        f"{name:14} {value}" for name, value in status.items() if not isinstance(value, list | dict)
    ]
    calls = status.get("calls_in_progress", [])
    lines += [
        "  ".join(f"{name} {value}" for name, value in call.items())
        for call in calls
        if isinstance(call, dict)
    ]
    return "\n".join(lines)


def _described(settings: Settings) -> str:
    server = settings.server
    lines = [f"{settings.file}: good"]
    lines += [
        f"  listens   {one.transport} {one.host}:{one.port}"
        + (f" as {one.public_address}" if one.public_address else "")
        for one in server.listeners
    ]
    lines += [f"  media     ports {server.media.first_port} to {server.media.last_port}"]
    lines += [f"  engine    {engine_in_use(server)}"]
    for trunk in settings.trunks:
        keys = "" if trunk.srtp == "off" else f" by {trunk.keying}"
        lines += [
            f"  trunk     {trunk.name} ({trunk.carrier}), srtp {trunk.srtp}{keys}, "
            f"{counted(len(trunk.numbers), 'number')}",
            f"            {' '.join(trunk.codecs)}; transfer by {', then '.join(trunk.transfer)}; "
            f"{_recorded(trunk, is_sealed=server.recording.key is not None)}",
        ]
    lines += [f"  agent     {name} ({_agent(agent)})" for name, agent in settings.agents.items()]
    return "\n".join(lines)


def _recorded(trunk: Trunk, *, is_sealed: bool) -> str:
    own = [trunk.recording if n.recording is None else n.recording for n in trunk.numbers.values()]
    if not any(own) and not trunk.recording:
        return "not recorded"
    which = "recorded" if all(own) else f"{sum(own)} of {counted(len(own), 'number')} recorded"
    return f"{which} as {trunk.recording_form}, {'encrypted' if is_sealed else 'not encrypted'}"


def counted(count: int, what: str) -> str:
    """Count things: "1 call", "2 calls"."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def _agent(agent: Agent) -> str:
    if agent.kind not in TALKING:
        return agent.kind
    name, why = voice_activity.choice(agent.voice_activity)
    return f"{agent.kind}), voice by {name} ({why}"


def data_of(config: Path) -> Path:
    """Find the data directory; the rest of the file need not be right to ask a server."""
    reading = Reading(config)
    table = {key: value for key, value in parse(reading).items() if key == "data"}
    server = read(ServerTable, table, reading)
    if server is None:
        raise Mistakes(reading.mistakes)
    return server.data
