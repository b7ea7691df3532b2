"""`opensip ping`: how far a request would come on its way to a URI or a trunk."""

import asyncio
import contextlib
import json
import secrets
import socket
import sys
from dataclasses import asdict, replace
from pathlib import Path

import click

from opensip import log
from opensip.call.dialler import destination
from opensip.carriers import Trunk
from opensip.cli.loop import fastest_loop
from opensip.errors import ConfigError, RemoteProtocolError
from opensip.net.dns import Dns
from opensip.net.resolver import Resolver
from opensip.net.sip_transport import Listener
from opensip.net.tls import TlsConfig
from opensip.settings import build
from opensip.settings.load import Settings, load
from opensip.settings.table import nearest
from opensip.sip.timers import Timers
from opensip.sip.uri import Uri
from opensip.ua.admission import Admission
from opensip.ua.endpoint import Endpoint, EndpointConfig
from opensip.ua.ping import Step, ping
from opensip.ua.server_call import ServerCall
from opensip.ua.ways import Destination


@click.command("ping")
@click.argument("target", metavar="URI|TRUNK")
@click.option("--tls-name", default="", help="Name that its certificate must say.")
@click.option("--ca", type=click.Path(path_type=Path),
              help="Authority that signed its certificate. [default: see --config]")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="For programs: one line a step.")
@click.option("--config", type=click.Path(path_type=Path), default=Path("config/opensip.toml"),
              show_default=True, help="The server's configuration.")  # fmt: skip
def command(
    *, target: str, tls_name: str, ca: Path | None, as_json: bool, config: Path
) -> None:  # fmt: skip
    """Say step by step what happens on the way to a SIP URI or a trunk.

    DNS, TCP, TLS with chain and name, OPTIONS; and what to change where it fails. Exit status 0
    if somebody answered. A URI needs no configuration file.

    Example: opensip ping "sip:sbc.example.com:5061;transport=tls"
    """
    log.configure(level="error", form="auto", transcripts=False)
    settings = load(config) if config.exists() or ":" not in target else None
    trunk = _trunk(settings, target)
    uri = Uri.parse(trunk.termination) if trunk else _uri(target)
    where = destination(trunk, uri) if trunk else Destination(uri)
    if tls_name:
        where = Destination(where.uri, tls_name)
    tls = build.client_tls(settings.server, trunk) if settings else TlsConfig()
    tls = replace(tls, ca=ca or tls.ca)
    servers = settings.server.sip.name_servers if settings else ()
    with asyncio.Runner(loop_factory=fastest_loop) as runner:
        answered = runner.run(_ping(uri, where, tls, servers, as_json=as_json))
    sys.exit(0 if answered else 1)


def _trunk(settings: Settings | None, name: str) -> Trunk | None:
    if settings is None or ":" in name:
        return None
    trunks = {trunk.name: trunk for trunk in settings.trunks}
    if name not in trunks:
        known = nearest(name, trunks) if trunks else ": it has none"
        raise ConfigError(f"no trunk {name!r} in {settings.file}{known}; or another --config?")
    if not trunks[name].termination:
        raise ConfigError(f"trunk {name} has no outbound.termination: give a URI")
    return trunks[name]


def _uri(text: str) -> Uri:
    try:
        return Uri.parse(text)
    except RemoteProtocolError as error:
        raise ConfigError(f"{text!r} is no SIP URI: {error}") from error


async def _ping(
    uri: Uri, where: Destination, tls: TlsConfig, servers: tuple[str, ...], *, as_json: bool
) -> bool:
    admission = Admission(
        (), realm="", secret=secrets.token_bytes(32), strangers="silent", normalise=str
    )
    config = EndpointConfig(
        listeners=_listeners(),
        user_agent="opensip",
        timers=Timers(t1=0.125),  # who does not answer within eight seconds is not there
        client_tls=tls,
    )
    endpoint = Endpoint(config, admission=admission, on_call=_refuse)
    await endpoint.start()
    answered = False
    try:
        async for step in ping(endpoint.core, Resolver(Dns(servers)), uri, where, tls):
            click.echo(json.dumps(asdict(step)) if as_json else in_words(step))
            answered |= step.name == "OPTIONS" and step.good
    finally:
        await endpoint.close()
    return answered


def _listeners() -> tuple[Listener, ...]:
    """Listen for answers over UDP, on both families where this machine has both."""
    hosts = ["0.0.0.0"]  # noqa: S104 - a port of the moment, for answers
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as tried:
        tried.bind(("::1", 0))
        hosts.append("::")
    return tuple(Listener("UDP", host, 0) for host in hosts)


def in_words(step: Step) -> str:
    """Write one step."""
    line = f"{'ok  ' if step.good else 'FAIL'}  {step.name:8} {step.said}"
    return f"{line}\n      {'':8} -> {step.advice}" if step.advice else line


async def _refuse(call: ServerCall) -> None:
    call.reject(480)
