"""The command `opensip`: one file a command, loaded when it is asked for."""

import importlib
from typing import Any

import click

from opensip.errors import OpenSipError

COMMANDS = {  # name -> module that holds a click command `command`
    "serve": "opensip.cli.serve",
    "check": "opensip.cli.check",
    "ping": "opensip.cli.ping",
    "dial": "opensip.cli.dial",
    "call": "opensip.cli.call",
    "desk": "opensip.cli.desk",
    "agent": "opensip.cli.agent",
    "trunk": "opensip.cli.trunk",
    "trace": "opensip.cli.trace",
    "latency": "opensip.cli.latency",
    "recording": "opensip.cli.recording",
    "hash-password": "opensip.cli.hash_password",
}


class Commands(click.Group):
    """A group that imports a command's module only when that command runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Tell the names of all commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name]).command
        assert isinstance(command, click.Command)  # noqa: S101 - a wrong table is our bug
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what we know to go wrong becomes one message and exit status 1."""
        try:
            return super().invoke(ctx)
        except OpenSipError as error:
            for line in str(error).splitlines() or [type(error).__name__]:
                click.echo(f"opensip: {line}", err=True)
            ctx.exit(1)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="opensip-agent", prog_name="opensip")
def main() -> None:
    """Let an AI agent answer the telephone: SIP over TLS in, a human with context out.

    Exit status: 0 done, 1 failed (the reason is on standard error), 2 wrong usage.
    """
