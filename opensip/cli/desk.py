"""`opensip desk`: takes transferred calls and prints the context they bring."""

import asyncio
import signal
from ipaddress import ip_network
from pathlib import Path

import click

from opensip import log
from opensip.cli.reporting import reporting
from opensip.net.sip_transport import Listener
from opensip.net.tls import TlsConfig
from opensip.phone.caller import Report
from opensip.phone.desk import GREETING, Desk
from opensip.phone.line import LineConfig
from opensip.phone.voice import VOICES, voice_of
from opensip.ua.admission import TrunkAdmission


@click.command("desk")
@click.option("--address", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=5090, show_default=True, help="Port for UDP and TCP.")
@click.option("--tls-port", default=0, help="Port for TLS; needs --certificate and --key.")
@click.option("--certificate", type=click.Path(path_type=Path), help="PEM, with its chain.")
@click.option("--key", type=click.Path(path_type=Path), help="PEM.")
@click.option("--network", "networks", multiple=True, default=["127.0.0.0/8"], show_default=True,
              help="Who may call, CIDR; repeatable.")  # fmt: skip
@click.option("--srtp", type=click.Choice(["required", "preferred", "off"]), default="preferred",
              show_default=True, help="Encryption of the audio.")  # fmt: skip
@click.option("--voice", type=click.Choice(VOICES), default=VOICES[1], show_default=True,
              help="A voice of flite.")  # fmt: skip
@click.option("--greeting", default=GREETING, help="What is spoken to the caller.")
@click.option("--busy", is_flag=True, help="Refuse every call with 486.")
@click.option("--once", is_flag=True, help="Leave after one call.")
@click.option("--json", "as_json", is_flag=True, help="Report one JSON object a line.")
def command(
    *, address: str, port: int, tls_port: int, certificate: Path | None, key: Path | None,
    networks: tuple[str, ...], srtp: str, voice: str, greeting: str, busy: bool, once: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Take transferred calls and print their context.

    Intent, confidence, summary, fields and transcript, as parsed off the wire. It takes
    PCMU and PCMA, in the clear or under SRTP with keys in SDP (SDES).

    Example: opensip desk --port 5090
    """
    log.configure(level="warning")  # on standard error: standard output is the report's
    listeners = [Listener("UDP", address, port), Listener("TCP", address, port)]
    if tls_port:
        tls = TlsConfig(certificate=certificate, key=key)
        listeners.append(Listener("TLS", address, tls_port, tls=tls))
    config = LineConfig(address, srtp, tuple(listeners), user_agent="opensip desk")
    try:
        allowed = tuple(ip_network(network) for network in networks)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--network") from error
    asyncio.run(
        _serve(
            config,
            TrunkAdmission("desk", networks=allowed, trusted=True),
            reporting(as_json=as_json),
            voice=voice,
            greeting=greeting,
            busy=busy,
            once=once,
        )
    )


async def _serve(
    config: LineConfig, admitted: TrunkAdmission, report: Report, *,
    voice: str, greeting: str, busy: bool, once: bool,
) -> None:  # fmt: skip
    until = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, until.set)
    desk = Desk(
        config,
        admitted,
        speak=voice_of(voice),
        report=report,
        greeting=greeting,
        busy=busy,
        ended=until.set if once else lambda: None,
    )
    await desk.serve(until)
