"""`opensip call`: a scripted, speaking caller for any SIP URI."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import click

from opensip import log
from opensip.agent.providers.shared import close_shared
from opensip.cli.reporting import reporting
from opensip.errors import ConfigError, RemoteProtocolError
from opensip.media.recorder import Recorder
from opensip.media.recording_writer import WriterThread
from opensip.net.sip_transport import Listener
from opensip.net.tls import TlsConfig
from opensip.phone.caller import Caller, CallerConfig, CallResult, Report, refuse_emergency
from opensip.phone.line import Line, LineConfig
from opensip.phone.script import parse_step
from opensip.phone.understanding import Understanding
from opensip.phone.voice import VOICES, voice_of
from opensip.settings.build import outward_address
from opensip.settings.secrets import fetch
from opensip.sip.grammar import format_host_port
from opensip.sip.uri import NameAddr, Uri
from opensip.ua.credentials import Credentials


@click.command("call")
@click.argument("uri")
@click.argument("steps", nargs=-1, metavar="[STEP]...")
@click.option("--from", "from_", default="", help="Our own URI. [default: sip:caller@ADDRESS]")
@click.option("--address", default="", help="Address to bind. [default: the one that reaches URI]")
@click.option("--user", default="", help="User name for digest.")
@click.option("--password", default="", help="Where the password is: env:NAME or file:PATH.")
@click.option("--realm", "realms", multiple=True, help="Realm to answer. [default: host, opensip]")
@click.option("--srtp", type=click.Choice(["required", "preferred", "off"]), default="preferred",
              show_default=True, help="Encryption of the audio.")  # fmt: skip
@click.option("--ca", type=click.Path(path_type=Path), help="Authority that signed the server.")
@click.option("--voice", type=click.Choice(VOICES), default=VOICES[0], show_default=True,
              help="A voice of flite.")  # fmt: skip
@click.option("--listen", is_flag=True,
              help="Make out two things in the answers, and print them: an apology for not having "
              "understood, upon which it is said again, and a number read back, which is corrected "
              "where it is wrong. Needs the extra speech.")  # fmt: skip
@click.option("--mute", is_flag=True, help="Send silence in place of what would be spoken.")
@click.option("--patience", default=12.0, show_default=True,
              help="Seconds for the other side to begin to speak, before each step.")  # fmt: skip
@click.option("--linger", default=15.0, show_default=True, help="Seconds to stay at the end.")
@click.option("--ring-timeout", default=30.0, show_default=True, help="Seconds to let it ring.")
@click.option("--record", type=click.Path(path_type=Path), help="Write both sides to a WAV file.")
@click.option("--json", "as_json", is_flag=True, help="Report one JSON object a line.")
def command(
    *, uri: str, steps: tuple[str, ...], from_: str, address: str, user: str, password: str,
    realms: tuple[str, ...], srtp: str, ca: Path | None, voice: str, listen: bool, mute: bool,
    patience: float, linger: float, ring_timeout: float, record: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Call any SIP URI with a scripted caller that speaks.

    It speaks PCMU and PCMA, in the clear or under SRTP with keys in SDP (SDES).

    A transfer is followed. Exit status 0 if the call was answered.

    A STEP is spoken once the other side has finished: "where is my order"; or keys:1234, wait:2,
    tone:440/3 (Hz, seconds). With --listen, "a person | an agent please" is put in other words
    where the first were not understood.

    Example: opensip call "sip:agent@localhost:5061;transport=tls" --ca certs/ca.pem
    --listen "a person | an agent please"
    """
    log.configure(level="warning")  # on standard error: standard output is the report's
    refuse_emergency(uri)
    to = _parse(uri)
    asked, address = address, address or outward_address(to.host)
    host = format_host_port(address, None)
    config = CallerConfig(
        to=to,
        from_=NameAddr.parse(f"<{from_ or f'sip:caller@{host}'}>"),
        steps=tuple(parse_step(step) for step in steps),
        credentials=_credentials(user, password, realms or (to.host, "opensip")),
        ring_timeout=ring_timeout,
        patience=patience,
        linger=linger,
    )
    line = replace(_line(address, srtp, ca), connect_from=asked)
    report = reporting(as_json=as_json)
    result = asyncio.run(
        _call(line, config, report, voice=voice, listen=listen, mute=mute, record=record)
    )
    report("finished", status=result.status, transferred_to=result.transferred_to)
    sys.exit(0 if result.answered else 1)


def _line(address: str, srtp: str, ca: Path | None) -> LineConfig:
    here = (Listener("UDP", address, 0),)  # a transfer may lead there, whatever `to` takes
    return LineConfig(address=address, srtp=srtp, listeners=here, client_tls=TlsConfig(ca=ca))


async def _call(
    line_config: LineConfig,
    config: CallerConfig,
    report: Report,
    *,
    voice: str,
    listen: bool,
    mute: bool,
    record: Path | None,
) -> CallResult:
    try:
        understand = Understanding() if listen else None
        async with Line(line_config) as line:
            speak = voice_of(voice, mute=mute)
            caller = Caller(line, config, speak=speak, report=report, understand=understand)
            writer = WriterThread(asyncio.get_running_loop().call_soon_threadsafe)
            return await caller.run(recorder=Recorder(record, writer=writer) if record else None)
    finally:
        await close_shared()


def _parse(text: str) -> Uri:
    try:
        uri = Uri.parse(text)
    except RemoteProtocolError as error:
        raise click.BadParameter(f"{text!r} is no SIP URI", param_hint="URI") from error
    if uri.scheme not in ("sip", "sips"):
        raise click.BadParameter(f"{text!r} is no sip: or sips: URI", param_hint="URI")
    return uri


def _credentials(user: str, password: str, realms: tuple[str, ...]) -> Credentials | None:
    if not user:
        return None
    if not password:
        raise ConfigError(f"--user {user} needs --password env:NAME or file:PATH")
    return Credentials(user, fetch(password, base=Path()), frozenset(realms))
