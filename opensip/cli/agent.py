"""`opensip agent`: check an agent's file, try its providers, talk with it by text."""

import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path

import click

from opensip import log
from opensip.agent.check_realtime import speaks_by_model
from opensip.agent.definition import LIVE, TALKING, Agent
from opensip.agent.providers.shared import close_shared
from opensip.agent.text_chat import TextChat
from opensip.agent.toolbox import tools_of
from opensip.agent.trial import tried
from opensip.cli.lines import next_line
from opensip.errors import ConfigError
from opensip.settings.agents import load_agent
from opensip.settings.talking import doubts

CONFIG = click.option(
    "--config", "config", type=click.Path(path_type=Path), default=Path("config/opensip.toml"),
    show_default=True, help="The server's configuration: providers, directory, agent_files.",
)  # fmt: skip


@click.group("agent")
def command() -> None:
    """Check an agent's file, or talk with the agent in the terminal.

    Example: opensip agent chat shop
    """


@command.command("check")
@click.argument("agent")
@click.option("--live", is_flag=True, help="Ask each provider for a word: do key and model work?")
@CONFIG
def check(*, agent: str, live: bool, config: Path) -> None:
    """Say every mistake of an agent, named or given as a file; with --live try its providers.

    Example: opensip agent check config/agents/assistant.toml --live
    """
    loaded, path = load_agent(agent, config)
    for warning in doubts(loaded):
        click.echo(f"warning: {path}: {warning}", err=True)
    click.echo(f"{path}: good")
    for line in described(loaded):
        click.echo(f"  {line}")
    if live and loaded.kind in (*TALKING, *LIVE):
        log.configure(level="error")
        sys.exit(0 if asyncio.run(_try(loaded)) else 1)


@command.command("chat")
@click.argument("agent")
@click.option("--var", "variables", multiple=True, help="NAME=VALUE of the call, as caller=+1919…")
@click.option("--quiet", is_flag=True, help="Only what the agent says.")
@CONFIG
def chat(*, agent: str, variables: tuple[str, ...], quiet: bool, config: Path) -> None:
    """Talk with an agent by text: a line is a turn, "keys:123" presses keys, Ctrl-D hangs up.

    Tools are run as in a call; a transfer or a farewell ends the talk. --var called=+1555… talks as
    callers of that number meet the agent ([numbers] of its file). Ends with 1 where no provider had
    an answer.

    Example: opensip agent chat shop --var caller=+19195551234
    """
    loaded, _ = load_agent(agent, config)
    if loaded.kind not in TALKING:
        raise ConfigError(
            f"agent {loaded.name!r} is of kind {loaded.kind!r} and has no words in writing: "
            "call it (opensip call), beside opensip serve"
        )
    log.configure(level="error")
    with suppress(asyncio.CancelledError):  # Ctrl-C
        told = _variables(variables)
        failed = asyncio.run(_chat(loaded.at(told.get("called", "")), told, quiet=quiet))
        sys.exit(1 if failed else 0)


def described(agent: Agent) -> list[str]:
    """Tell what an agent is made of, a line each."""
    lines = [f"kind         {agent.kind}"]
    if agent.kind not in (*TALKING, *LIVE):
        return lines
    stages = ("realtime",) if agent.kind in LIVE else ("recognizer", "dialogue", "synthesizer")
    for stage in stages:
        lines.append(f"{stage:12} {', then '.join(_provider(agent, stage))}")
    if agent.kind == "model" or (agent.kind in LIVE and speaks_by_model(agent)):
        lines += [
            f"tool         {tool.name}({', '.join(tool.parameters['properties'])})"
            + ("  after a yes of the caller" if tool.confirm else "")
            for tool in tools_of(agent)
        ]
    lines += [f"directory    {name}: {entry.uri}" for name, entry in agent.directory.items()]
    return lines


def _provider(agent: Agent, stage: str) -> list[str]:
    found = []
    for name in getattr(agent, stage):
        account = agent.providers.get(name)
        model = getattr(account, f"{stage}_model", "")
        at = f" at {account.base_url}" if account and account.base_url else ""
        told = f"{model}{at}" if model else at.removeprefix(" ")
        found.append(f"{name} ({told})" if told else name)
    return found


def _variables(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    if wrong := [name for name, sign, _ in pairs if not sign]:
        raise click.BadParameter(f"{wrong[0]!r} is no NAME=VALUE", param_hint="--var")
    return {name: value for name, _, value in pairs}


async def _try(agent: Agent) -> bool:
    good = True
    try:
        async for one in tried(agent):
            result = f"FAILED: {one.error}" if one.error else one.result
            click.echo(f"  {one.stage:12} {one.name:12} {one.ms:6.0f} ms  {result}")
            good = good and not one.error
    finally:
        await close_shared()
    return good


async def _chat(agent: Agent, variables: dict[str, str], *, quiet: bool) -> str:
    def tell(what: str, text: str) -> None:
        if what == "agent":
            click.echo(f"agent: {text}")
        elif not quiet:
            click.echo(f"  [{what}: {text}]")

    talk = TextChat(agent, variables, tell)
    if task := asyncio.current_task():
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)
    try:
        goes_on = await talk.open()
        while goes_on and (line := await _line()) is not None:
            goes_on = await talk.say(line) if line else True
        return talk.failed
    finally:
        await talk.close()
        await close_shared()


async def _line() -> str | None:
    """Wait for a line, while tools may still be at work; None at the end of input."""
    if sys.stdin.isatty():
        click.echo("you: ", nl=False)
    return await next_line()
