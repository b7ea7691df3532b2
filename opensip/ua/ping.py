"""Looking, step by step, how far a request would come: DNS, TCP, TLS, OPTIONS."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from opensip.errors import OpenSipError, TransactionTimeout, TransportFailed
from opensip.net.resolver import Resolver, Target
from opensip.net.tls import TlsConfig
from opensip.net.tls_identity import WrongIdentity
from opensip.net.tls_probe import shake_hands, would_fit
from opensip.sip.uri import Uri
from opensip.ua.probe import options
from opensip.ua.question import ask
from opensip.ua.stack import Stack
from opensip.ua.ways import Destination

STEP_TIMEOUT = 5.0  # seconds for TCP, and for TLS
VERDICT = 1.0  # seconds that a peer may take to say what it thinks of our certificate

_ADVICE = {
    401: "it is there, and asks for a password: set username, password and realms",
    407: "it is there, and asks for a password: set username, password and realms",
    403: "it is there, but does not know us: let it add our address, or register first",
    404: "it is there; it only knows no user of that name",
    405: "it is there; it only answers no OPTIONS",
    481: "it is there; it only answers no OPTIONS outside calls",
    483: "it is there, but its requests go in a circle: a proxy points at itself",
    503: "it is there, but takes no calls now",
}


@dataclass(frozen=True, slots=True)
class Step:
    """What one step showed; `advice` says what to change, where something is to be."""

    name: str  # "DNS", "TCP", "TLS", "OPTIONS"
    good: bool
    said: str
    advice: str = ""


async def ping(
    stack: Stack, resolver: Resolver, uri: Uri, destination: Destination, tls: TlsConfig
) -> AsyncIterator[Step]:
    """Try each target of `destination` with an OPTIONS to `uri`; `tls` is what we show."""
    try:
        targets = await resolver.resolve(destination.uri, server_name=destination.tls_name)
    except TransportFailed as error:
        yield Step("DNS", False, str(error), "check the spelling; dig and name_servers tell more")
        return
    host = destination.uri.host
    yield Step("DNS", True, f"{host} leads to {', '.join(map(str, targets))}")
    for target in targets:
        async for step in _ping_target(stack, uri, target, tls):
            yield step
            if not step.good:
                break


async def _ping_target(
    stack: Stack, uri: Uri, target: Target, tls: TlsConfig
) -> AsyncIterator[Step]:
    if target.transport != "UDP":
        yield await _tcp(target)
    if target.transport == "TLS":
        yield await _tls(target, tls)
    yield await _options(stack, uri, target, tls)


async def _tcp(target: Target) -> Step:
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with asyncio.timeout(STEP_TIMEOUT):
            _, writer = await asyncio.open_connection(target.host, target.port)
    except TimeoutError:
        return Step(
            "TCP", False, f"{target}: no answer", "a firewall drops it: let this port out, or in"
        )
    except OSError as error:
        advice = "nothing listens there: check port and transport"
        said = error.strerror or str(error)
        return Step("TCP", False, f"{target}: {said}", advice)
    writer.close()
    return Step("TCP", True, f"{target} connected in {_ms(loop.time() - began)}")


async def _tls(target: Target, tls: TlsConfig) -> Step:
    where = (target.host, target.port, tls, target.server_name)
    try:
        shaken = await shake_hands(*where, within=STEP_TIMEOUT)
    except WrongIdentity as error:
        return Step("TLS", False, *_split(str(error), "; "))
    except TransportFailed as error:
        said, advice = _split(str(error), ": ")
        if tls.profile == "strict" and await would_fit(*where, within=STEP_TIMEOUT):
            advice = 'it agrees to the suites of tls = "bandwidth": set that for the trunk'
        return Step("TLS", False, f"{target}: {said}", advice)
    names = ", ".join(shaken.names)
    return Step(
        "TLS",
        True,
        f"{shaken.version} {shaken.suite}; chain good; made out to {names}; "
        f"expires {shaken.expires}",
    )


async def _options(stack: Stack, uri: Uri, target: Target, tls: TlsConfig) -> Step:
    host = f"[{target.host}]" if ":" in target.host else target.host
    at = Uri.parse(f"sip:{host}:{target.port};transport={target.transport.lower()}")
    try:
        flow = await stack.ways(Destination(at, target.server_name, tls)).next_flow()
        answer = await ask(stack, options(stack, uri, flow), flow)
    except TransactionTimeout:
        advice = (
            "it does not answer strangers, or a firewall drops UDP: let it add our address, "
            "or try ;transport=tcp"
        )
        return Step("OPTIONS", False, f"{target}: no answer", advice)
    except OpenSipError as error:
        return await _undelivered(target, tls, error)
    status = answer.response.status
    advice = _ADVICE.get(status, "")
    said = f"{status} {answer.response.reason} from {target} in {_ms(answer.seconds)}"
    return Step("OPTIONS", status != 503, said, advice)


async def _undelivered(target: Target, tls: TlsConfig, error: OpenSipError) -> Step:
    """Say why a message found no taker: a peer may have closed for want of our certificate."""
    where = (target.host, target.port, tls, target.server_name)
    if target.transport == "TLS":
        try:
            await shake_hands(*where, within=STEP_TIMEOUT, patience=VERDICT)
        except OpenSipError as why:
            said, advice = _split(str(why), ": ")
            return Step("OPTIONS", False, f"{target}: {said}", advice)
    advice = "if it hung up on us: does it want a client certificate, or know our address?"
    return Step("OPTIONS", False, f"{target}: {error}", advice)


def _split(text: str, mark: str) -> tuple[str, str]:
    said, _, advice = text.partition(mark)
    return said, advice


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
