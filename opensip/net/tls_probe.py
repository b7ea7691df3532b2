"""Shaking hands with a peer only to look at it: for `opensip ping`."""

import asyncio
import ssl
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


async def shake_hands(host: str, port: int, tls: TlsConfig, name: str, *, within: float) -> Shaken:
    """Verify chain and name of the peer at an IP address; raises TransportFailed in words.

    `within` is in seconds. Raises WrongIdentity where the chain is good and the name is not.
    """
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(within):
            _, writer = await asyncio.open_connection(
                host, port, ssl=client_context(tls), server_hostname=name
            )
        return _looked_at(writer.get_extra_info("ssl_object"), name)
    except OSError as error:  # ssl.SSLError and TimeoutError are OSErrors
        raise TransportFailed(why_failed(error)) from error
    finally:
        if writer is not None:
            writer.close()


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
