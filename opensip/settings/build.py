"""Turns settings into what the rooms are built from: listeners, admission, media."""

import socket
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from opensip.carriers import ANY_NUMBER, Trunk
from opensip.carriers.number import normalise
from opensip.errors import ConfigError
from opensip.media.engine_choice import engine_choice
from opensip.net.acceptor import Listener, SourceTls
from opensip.net.guarded_https import HttpsRules
from opensip.net.tls import TlsConfig
from opensip.settings.load import tls_config
from opensip.settings.schema import IdentityTable, ListenerTable, ServerTable
from opensip.sip.uri import Uri
from opensip.ua.admission import TrunkAdmission
from opensip.ua.credentials import Credentials
from opensip.ua.endpoint_config import EndpointConfig


def listeners(server: ServerTable, trunks: Iterable[Trunk] = ()) -> tuple[Listener, ...]:
    """Make the listeners of the server's endpoint; TLS follows the trunk that a source is of."""
    trunks = tuple(trunks)
    known = tuple(network for trunk in trunks for network in trunk.networks)
    return tuple(
        Listener(
            transport=table.transport,
            host=table.host,
            port=table.port,
            public_address=table.public_address or None,
            tls=tls_config(server.tls, table) if table.transport == "TLS" else None,
            by_source=_by_source(server, table, trunks) if table.transport == "TLS" else (),
            known=known if table.transport == "UDP" else None,
        )
        for table in server.listeners
    )


def _by_source(
    server: ServerTable, table: ListenerTable, trunks: tuple[Trunk, ...]
) -> tuple[SourceTls, ...]:
    """Make the TLS of each trunk that wants another than the listener's."""
    usual = tls_config(server.tls, table)
    found = []
    for trunk in trunks:
        own = replace(
            usual,
            ca=trunk.ca or usual.ca,
            profile=usual.profile if trunk.tls == "strict" else trunk.tls,
            require_client_certificate=usual.require_client_certificate or trunk.client_certificate,
        )
        name = trunk.tls_name if own.require_client_certificate else ""
        if trunk.networks and (own != usual or name):
            found.append(SourceTls(trunk.networks, own, name))
    return tuple(found)


def endpoint_config(server: ServerTable, trunks: Iterable[Trunk]) -> EndpointConfig:
    """Make what the server's endpoint is told at its start."""
    return EndpointConfig(
        listeners=listeners(server, trunks),
        user_agent=server.sip.user_agent,
        client_tls=client_tls(server),
        name_servers=server.sip.name_servers,
        blacklist_seconds=server.sip.blacklist_seconds,
        connections=server.abuse.connection_limits,
        abuse=server.abuse.limits,
    )


def client_tls(server: ServerTable, trunk: Trunk | None = None) -> TlsConfig:
    """Make what connections of ours use: the trunk's profile, our certificate where asked for."""
    ours = TlsConfig(server.tls.certificate, server.tls.key, server.tls.ca)
    if trunk is None:
        return ours
    if trunk.certificate is not None:
        ours = replace(ours, certificate=trunk.certificate, key=trunk.key)
    return replace(ours, ca=trunk.ca or ours.ca, profile=trunk.tls)


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
        credentials=_credentials(trunk),
    )


def _credentials(trunk: Trunk) -> Credentials | None:
    """Give what answers challenges in calls of the trunk, where its realms are known."""
    realms = trunk.realms
    if not realms and trunk.termination:
        realms = (Uri.parse(trunk.termination).host,)
    if not trunk.username or not realms:
        return None
    return Credentials(trunk.username, trunk.password, frozenset(realms))


def https_rules(identity: IdentityTable) -> HttpsRules:
    """Make the bounds of fetching certificates that strangers name."""
    return HttpsRules(identity.ports, identity.networks, identity.ca)


def outward_address(towards: str) -> str:
    """Find the address of ours from which `towards` is reached, IPv4 first; nothing is sent."""
    family = socket.AF_INET6 if ":" in towards else socket.AF_INET
    try:
        return _outward(family, towards)
    except socket.gaierror as error:
        try:  # it may have one of IPv6 alone
            return _outward(socket.AF_INET6, towards)
        except OSError:
            raise ConfigError(f"{towards} has no address: {error.strerror}") from error
    except OSError as error:
        raise ConfigError(f"no address of this machine reaches {towards}: name one") from error


def _outward(family: socket.AddressFamily, towards: str) -> str:
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((towards, 9))
        address: str = probe.getsockname()[0]
        return address


def engine_in_use(server: ServerTable) -> str:
    """Say which media engine runs and why, for `opensip check` and the server's first line.

    Raises ConfigError where the one that is wished for is not there.
    """
    name, why = engine_choice(server.media.engine)
    return f"{name} ({why})"
