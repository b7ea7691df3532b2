"""Turns settings into what the rooms are built from: listeners, admission, media."""

import socket
from functools import partial

from opensip.carriers import ANY_NUMBER, Trunk
from opensip.carriers.number import normalise
from opensip.errors import ConfigError
from opensip.net.sip_transport import Listener
from opensip.net.tls import TlsConfig
from opensip.settings.load import tls_config
from opensip.settings.schema import ServerTable
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
        for table in server.listeners
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
        algorithms=trunk.digest,
        any=trunk.any,
        numbers=tuple(number for number in trunk.numbers if number != ANY_NUMBER),
        trusted=trunk.trusted,
        normalise=partial(normalise, country=trunk.country),
    )


def outward_address(towards: str) -> str:
    """Find the address of ours from which `towards` is reached; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((towards, 9))
        except OSError as error:
            raise ConfigError(f"no address of this machine reaches {towards}: name one") from error
        address: str = probe.getsockname()[0]
        return address


def engine_in_use() -> str:
    """Say which media engine runs and why, for `opensip check` and the server's first line."""
    return "python (the only one there is)"
