"""Shaking hands with a peer only to look at it: for `opensip ping`."""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass, replace

from opensip.errors import TransportFailed
from opensip.net.tls import TlsConfig, client_context
from opensip.net.tls_identity import check_identity, identities, why_failed


@dataclass(frozen=True, slots=True)
class Shaken:
    """What was agreed and who the peer is: its `names`, and when its certificate `expires`."""

    version: str
    suite: str
    names: tuple[str, ...]
    expires: str


async def shake_hands(
    host: str, port: int, tls: TlsConfig, name: str, *, within: float, patience: float = 0.0
) -> Shaken:
    """Verify chain and name of the peer at an IP address; raises TransportFailed in words.

    `within` is in seconds; so is `patience`, for what the peer has to say of our certificate:
    in TLS 1.3 that comes after the handshake. Raises WrongIdentity where the chain is good and
    the name is not.
    """
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(within):
            reader, writer = await asyncio.open_connection(
                host, port, ssl=client_context(tls), server_hostname=name
            )
        shaken = _looked_at(writer.get_extra_info("ssl_object"), name)
        await _hear_out(reader, patience)
        return shaken
    except OSError as error:  # ssl.SSLError and TimeoutError are OSErrors
        raise TransportFailed(why_failed(error)) from error
    finally:
        if writer is not None:
            writer.close()


async def _hear_out(reader: asyncio.StreamReader, patience: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(patience):
            await reader.read(1)  # raises the alert


def _looked_at(shaken: ssl.SSLObject, name: str) -> Shaken:
    certificate = shaken.getpeercert() or {}
    check_identity(certificate, name)
    suite = (shaken.cipher() or ("",))[0]
    expires = str(certificate.get("notAfter", ""))
    return Shaken(shaken.version() or "", suite, identities(certificate), expires)


async def would_fit(host: str, port: int, tls: TlsConfig, name: str, *, within: float) -> bool:
    """Tell whether the wider profile would agree where the strict one did not."""
    wider = replace(tls, profile="bandwidth", certificate=None, key=None)
    try:
        await shake_hands(host, port, wider, name, within=within)
    except TransportFailed:
        return False
    return True
