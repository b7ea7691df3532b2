"""`opensip dial`: call a number through a trunk and let an agent speak."""

import asyncio
import secrets
import sys
from dataclasses import replace
from pathlib import Path

import click

from opensip import log
from opensip.agent.providers.shared import close_shared
from opensip.call.outbound import Dialled, dial
from opensip.carriers import Trunk
from opensip.cli.loop import fastest_loop
from opensip.errors import ConfigError
from opensip.net.resolver import transport_of
from opensip.net.sip_transport import Listener
from opensip.server.means import open_exchange
from opensip.settings import build
from opensip.settings.load import Settings, load
from opensip.settings.table import nearest
from opensip.sip.uri import Uri
from opensip.ua.admission import Admission
from opensip.ua.endpoint import Endpoint, EndpointConfig
from opensip.ua.server_call import ServerCall


@click.command("dial")
@click.argument("number")
@click.option("--trunk", "trunk_name", required=True, help="Name of the trunk to go through.")
@click.option("--agent", required=True, help="Who speaks.")
@click.option("--caller-id", default="", help="A number of the trunk. [default: its first]")
@click.option("--ring-timeout", type=float, help="Seconds to let it ring. [default: the server's]")
@click.option("--config", type=click.Path(path_type=Path), default=Path("config/opensip.toml"),
              show_default=True, help="The server's configuration.")  # fmt: skip
def command(
    *, number: str, trunk_name: str, agent: str, caller_id: str, ring_timeout: float | None,
    config: Path,
) -> None:  # fmt: skip
    """Call a number through a trunk and let an agent speak.

    What came of it is said in words: answered, busy, no answer, rejected, not allowed. Exit
    status 0 if it was answered. Emergency numbers are refused.

    Example: opensip dial +19195551234 --trunk bandwidth --agent shop
    """
    settings = load(config)
    trunks = {trunk.name: trunk for trunk in settings.trunks}
    if trunk_name not in trunks:
        raise ConfigError(f"no trunk {trunk_name!r}{nearest(trunk_name, trunks)}")
    options = settings.server.log
    log.configure(level="warning", form=options.form, transcripts=options.transcripts)
    with asyncio.Runner(loop_factory=fastest_loop) as runner:
        dialled = runner.run(
            _dial(
                settings, trunks[trunk_name], number, agent=agent, caller_id=caller_id,
                ring_timeout=ring_timeout or settings.server.calls.ring_timeout,
            )
        )  # fmt: skip
    status = f" ({dialled.sip_status})" if dialled.sip_status else ""
    click.echo(f"{dialled.outcome}{status}: {dialled.why}")
    if dialled.call_id:
        click.echo(f"record: {settings.server.data / 'calls' / dialled.call_id}.json")
    sys.exit(0 if dialled.outcome == "answered" else 1)


async def _dial(
    settings: Settings, trunk: Trunk, number: str, *,
    agent: str, caller_id: str, ring_timeout: float,
) -> Dialled:  # fmt: skip
    exchange = open_exchange(settings, settings.agents)
    admission = Admission(
        (), realm="", secret=secrets.token_bytes(32), strangers="silent", normalise=str
    )
    config = EndpointConfig(
        listeners=_listeners(settings, trunk),
        user_agent=settings.server.sip.user_agent,
        client_tls=build.client_tls(settings.server, trunk),
        name_servers=settings.server.sip.name_servers,
    )
    endpoint = Endpoint(config, admission=admission, on_call=_refuse)
    await endpoint.start()
    try:
        return await dial(
            exchange, endpoint, trunk, number,
            agent=agent, caller_id=caller_id, ring_timeout=ring_timeout,
        )  # fmt: skip
    finally:
        await endpoint.close()
        exchange.engine.close()
        exchange.ports.close()
        await close_shared()
        if exchange.recordings is not None:
            exchange.recordings.close()
        if exchange.packer is not None:
            await exchange.packer.drained()
            exchange.packer.close()


async def _refuse(call: ServerCall) -> None:
    call.reject(480)


def _listeners(settings: Settings, trunk: Trunk) -> tuple[Listener, ...]:
    """Listen beside the server as it does itself, so that the trunk is told the same address."""
    if not trunk.termination:
        return ()
    transport = transport_of(Uri.parse(trunk.proxy or trunk.termination))
    for one in build.listeners(settings.server):
        if one.transport == transport:
            return (replace(one, port=0),)
    # A connection of our own needs no listener; datagrams come to one.
    return (Listener("UDP", "0.0.0.0", 0),) if transport == "UDP" else ()  # noqa: S104
