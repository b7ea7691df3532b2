"""Turns settings into what the rooms are built from: listeners, admission, media."""

import socket
from functools import partial

from opensip.carriers import ANY_NUMBER, Trunk
from opensip.carriers.number import normalise
from opensip.errors import ConfigError
from opensip.net.sip_transport import WILDCARDS, Listener
from opensip.net.tls import TlsConfig
from opensip.settings.load import tls_config
from opensip.settings.schema import MediaTable, ServerTable
from opensip.ua.admission import TrunkAdmission


def listeners(server: ServerTable) -> tuple[Listener, ...]:
    """Make the listeners of the server's endpoint."""
    return tuple(
        Listener(
            transport=table.transport,
            host=table.host,
            port=table.port,
            public_address=table.public_address or None,
            tls=tls_config(server.tls, table) if table.transport == "TLS" else None,
        )
        for table in server.sip.listeners
    )


def client_tls(server: ServerTable, trunk: Trunk | None = None) -> TlsConfig:
    """Make what connections of ours use: the trunk's profile, our certificate where asked for."""
    return TlsConfig(
        certificate=server.tls.certificate,
        key=server.tls.key,
        ca=server.tls.ca,
        profile=trunk.tls if trunk else "strict",
    )


def admission(trunk: Trunk) -> TrunkAdmission:
    """Make what opens the door to a trunk."""
    return TrunkAdmission(
        name=trunk.name,
        networks=trunk.networks,
        users=trunk.users,
        any=trunk.any,
        numbers=tuple(number for number in trunk.numbers if number != ANY_NUMBER),
        trusted=trunk.trusted,
        normalise=partial(normalise, country=trunk.country),
    )


def advertised_address(media: MediaTable) -> str:
    """Tell which address stands in SDP: the public one, that of the socket, or the outward one.

    The outward one is that from which the default route leaves. Raises ConfigError where a
    machine without a route listens everywhere.
    """
    if media.public_address:
        return media.public_address
    return outward_address() if media.address in WILDCARDS else media.address


def outward_address(towards: str = "192.0.2.1") -> str:
    """Find the address of ours from which `towards` is reached; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((towards, 9))
        except OSError as error:
            raise ConfigError(
                "media.address is 0.0.0.0 and this machine has no default route: set "
                "media.address to one of its addresses"
            ) from error
        address: str = probe.getsockname()[0]
        return address


def engine_in_use() -> str:
    """Say which media engine runs and why, for `opensip check` and the server's first line."""
    return "python (the only one there is)"
