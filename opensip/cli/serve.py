"""`opensip serve`: the server."""

import asyncio
import gc
from pathlib import Path

import click

from opensip import log
from opensip.cli.loop import fastest_loop
from opensip.server.server import Server
from opensip.settings.load import Settings, load


@click.command("serve")
@click.option("--config", type=click.Path(path_type=Path), default=Path("config/opensip.toml"),
              show_default=True, help="The server's configuration.")  # fmt: skip
def command(*, config: Path) -> None:
    """Run the server until SIGTERM.

    SIGTERM lets calls in progress end; SIGHUP reloads trunks and agents for new calls.

    Example: opensip serve --config config/opensip.toml
    """
    settings = load(config)
    options = settings.server.log
    log.configure(level=options.level, form=options.form, transcripts=options.transcripts)
    with asyncio.Runner(loop_factory=fastest_loop) as runner:
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    server = Server(settings)
    _spare_the_collector()
    await server.run()


def _spare_the_collector() -> None:
    """Keep garbage collection out of calls: it took a fifth of a call's processor time.

    What is loaded by now stays for good. A call makes some thousand objects that live as long as
    it does: with Python's own threshold of 700 they were all looked at several times a call.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
