"""The keys of opensip.toml and of a trunk's file, with their defaults. Times are in seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Literal

from opensip.agent.definition import Account
from opensip.audio.codecs import CODECS
from opensip.carriers.trunk import ContextForm, DtmfWay, IdentityPolicy, Keying, Refers, Srtp
from opensip.errors import ConfigError
from opensip.log import Form, Level
from opensip.media.engine import EVERYWHERE
from opensip.media.recording_key import MasterKey
from opensip.net.dns import split_server
from opensip.net.guarded_https import PORTS
from opensip.net.limits import ConnectionLimits
from opensip.net.tls import Profile
from opensip.sdp.description import is_ip_address
from opensip.settings.checks import (
    Count,
    CountFromOne,
    Hexadecimal,
    Known,
    ListeningPort,
    Patience,
    Rate,
    Seconds,
    SecondsFromOne,
    address_in_sdp,
    country_code,
    header_name,
    header_text,
    host_in_via,
    not_empty,
    our_address,
    quotable,
)
from opensip.settings.secrets import Secret
from opensip.sip.digest import NONCE_SECONDS
from opensip.ua.abuse import SCANNERS, AbuseLimits

OnOff = Literal["on", "off"]
Digest = Literal["SHA-256", "MD5"]

LONGEST_NONCE = 3600.0  # seconds: who overhears a good answer may use a nonce for so long


@dataclass(frozen=True, slots=True)
class ListenerTable:
    """`[[sip.listeners]]`: one address that SIP comes in at."""

    transport: Literal["UDP", "TCP", "TLS"]
    port: ListeningPort
    host: Annotated[str, our_address] = "0.0.0.0"  # noqa: S104 - a server listens
    public_address: Annotated[str, host_in_via] = ""
    profile: Profile = "strict"
    require_client_certificate: bool = False


@dataclass(frozen=True, slots=True)
class SipTable:
    """`[sip]`: what all listeners share. Without listeners there are the usual ones."""

    realm: Annotated[str, quotable] = "opensip"
    strangers: Literal["silent", "refuse"] = "silent"
    user_agent: Annotated[str, header_text] = "opensip"
    name_servers: tuple[str, ...] = ()
    blacklist_seconds: Seconds = 60.0
    nonce_seconds: float = NONCE_SECONDS
    listeners: tuple[ListenerTable, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.nonce_seconds <= LONGEST_NONCE:
            raise ValueError(
                f"nonce_seconds {self.nonce_seconds:g}: from 1 to {LONGEST_NONCE:g} seconds"
            )
        for server in self.name_servers:
            split_server(server)
        taken = [(one.transport, one.host, one.port) for one in self.listeners if one.port]
        for one in {place for place in taken if taken.count(place) > 1}:
            transport, host, port = one
            raise ValueError(f"listeners: {transport} {host}:{port} is there twice: take one away")


@dataclass(frozen=True, slots=True)
class TlsTable:
    """`[tls]`: files of our certificate, PEM."""

    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class MediaTable:
    """`[media]`: where RTP comes in, and which engine moves it."""

    address: Annotated[str, our_address] = "0.0.0.0"  # noqa: S104 - a server listens
    public_address: Annotated[str, address_in_sdp] = ""
    first_port: int = 20000
    last_port: int = 29999
    engine: Literal["auto", "native", "python"] = "auto"

    def __post_init__(self) -> None:
        if not 1024 <= self.first_port < self.last_port <= 65535:
            raise ValueError(
                f"first_port {self.first_port} and last_port {self.last_port} are no range within "
                "1024 to 65535"
            )
        if self.first_port + self.first_port % 2 >= self.last_port:
            raise ValueError(
                f"first_port {self.first_port} to last_port {self.last_port} hold no call: RTP "
                "takes an even one and RTCP the odd one above"
            )
        ours, public = ip_address(self.address), self.public_address
        if public and ip_address(public).version != ours.version:
            raise ValueError(f"public_address {public} and address {ours}: one is IPv4, one IPv6")


@dataclass(frozen=True, slots=True)
class CallsTable:
    """`[calls]`: limits of all calls together."""

    max_calls: Count = 0
    drain_seconds: Seconds = 30.0
    ring_timeout: SecondsFromOne = 60.0


@dataclass(frozen=True, slots=True)
class AbuseTable:
    """`[abuse]`: what strangers may take of us; sources in a trunk's networks are none."""

    messages_per_second: Rate = 20.0
    burst: CountFromOne = 100
    strangers_per_second: Rate = 500.0
    answers: Count = 10
    ban_seconds: Seconds = 300.0
    scanners: tuple[str, ...] = SCANNERS
    connections: CountFromOne = 8
    handshakes: CountFromOne = 100
    handshake_seconds: Patience = 5.0
    message_seconds: Patience = 10.0
    idle_seconds: Patience = 15.0

    @property
    def connection_limits(self) -> ConnectionLimits:
        """The part of it that holds for connections."""
        return ConnectionLimits(
            self.connections,
            self.handshakes,
            self.handshake_seconds,
            self.message_seconds,
            self.idle_seconds,
        )

    @property
    def limits(self) -> AbuseLimits:
        """The part of it that holds for messages."""
        return AbuseLimits(
            self.messages_per_second, self.burst, self.strangers_per_second, self.answers,
            self.ban_seconds, self.scanners,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class IdentityTable:
    """`[identity]`: whom we believe that a caller's number is signed for, and where we fetch.

    `networks` may hold certificates though they are not public.
    """

    anchors: Path | None = None
    ports: tuple[int, ...] = PORTS
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    ca: Path | None = None

    def __post_init__(self) -> None:
        if not self.ports:
            raise ValueError("ports is empty, so that nothing can be fetched: name 443 at least")
        for port in self.ports:
            if not 1 <= port <= 65535:
                raise ValueError(f"ports: {port} is no port from 1 to 65535")


@dataclass(frozen=True, slots=True)
class LogTable:
    """`[log]`: what is logged, and how."""

    level: Level = "info"
    form: Form = "auto"
    transcripts: bool = False


@dataclass(frozen=True, slots=True)
class RecordingTable:
    """`[recording]`: the master key that new recordings are encrypted under, and earlier ones."""

    key: Secret | None = None
    old_keys: tuple[Secret, ...] = ()

    def __post_init__(self) -> None:
        if self.old_keys and self.key is None:
            raise ValueError("old_keys without a key: name the key of new recordings too")
        self.masters()

    def masters(self) -> tuple[MasterKey, ...]:
        """Read the keys, the one for new recordings first. Raises ConfigError."""
        keys = () if self.key is None else (self.key, *self.old_keys)
        return tuple(
            _master(key, "old_keys" if number else "key") for number, key in enumerate(keys)
        )


def _master(key: Secret, place: str) -> MasterKey:
    try:
        return MasterKey.parse(key)
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from None


@dataclass(frozen=True, slots=True)
class UserTable:
    """`[users.NAME]` of a trunk: hashes that `opensip hash-password` prints, or a secret."""

    md5: Annotated[str, Hexadecimal(32)] = ""
    sha256: Annotated[str, Hexadecimal(64)] = ""
    password: Secret | None = None

    def __post_init__(self) -> None:
        if self.password is None and not (self.md5 and self.sha256):
            raise ValueError("md5 and sha256 are wanted; opensip hash-password prints both")


@dataclass(frozen=True, slots=True)
class NumberTable:
    """`[numbers."+1…"]` of a trunk: where a called number leads."""

    agent: str
    recording: OnOff | None = None
    consent: str | None = None


@dataclass(frozen=True, slots=True)
class OutboundTable:
    """`[outbound]` of a trunk: how `opensip dial` reaches it."""

    termination: str
    username: str = ""
    password: Secret | None = None
    realms: tuple[str, ...] = ()
    caller_ids: tuple[str, ...] = ()
    proxy: str = ""
    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None
    registrar: str = ""
    address: str = ""
    register_seconds: SecondsFromOne = 3600.0
    probe_seconds: Seconds = 0.0


@dataclass(frozen=True, slots=True)
class TrunkTable:
    """A trunk's file, or `[trunks.NAME]`. What is left out follows the carrier."""

    carrier: str = "generic"
    country: Annotated[str, country_code] = "US"
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    any: bool = False
    users: Mapping[str, UserTable] = field(default_factory=dict)
    digest: tuple[Digest, ...] = ("SHA-256", "MD5")
    numbers: Mapping[str, str | NumberTable] = field(default_factory=dict)
    trusted: bool = True
    headers: tuple[Annotated[str, header_name], ...] = ()
    identity: IdentityPolicy = "annotate"
    srtp: Srtp | None = None
    keying: Keying = "sdes"
    tls: Profile | None = None
    tls_name: str = ""
    client_certificate: bool = False
    codecs: (
        Annotated[tuple[Annotated[str, Known(tuple(CODECS), "codec")], ...], not_empty] | None
    ) = None
    change_codec: bool = True
    symmetric: bool = True
    dtmf: DtmfWay = "auto"
    hear_tones: bool = False
    recording: OnOff = "off"
    recording_form: Literal["wav", "flac", "opus"] = "wav"
    consent: str = ""
    transfer: Annotated[str | tuple[str, ...], not_empty] = "auto"
    profile: ContextForm | None = None
    refers: Refers = "deny"
    refer_to_headers: bool = True
    emergency_redirect: str = ""
    max_calls: Count = 0
    max_seconds: SecondsFromOne = 3600.0
    first_timeout: SecondsFromOne = 30.0
    silence_timeout: SecondsFromOne = 15.0
    outbound: OutboundTable | None = None


@dataclass(frozen=True, slots=True)
class ServerTable:
    """The whole of opensip.toml. Paths are relative to the file that names them."""

    data: Path = Path("data")
    agent_files: tuple[str, ...] = ("agents/*.toml",)
    trunk_files: tuple[str, ...] = ("trunks/*.toml",)
    sip: SipTable = SipTable()
    tls: TlsTable = TlsTable()
    media: MediaTable = MediaTable()
    calls: CallsTable = CallsTable()
    abuse: AbuseTable = AbuseTable()
    identity: IdentityTable = IdentityTable()
    recording: RecordingTable = RecordingTable()
    log: LogTable = LogTable()
    directory: Mapping[str, str] = field(default_factory=dict)
    providers: Mapping[str, Account] = field(default_factory=dict)
    trunks: Mapping[str, TrunkTable] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shown = {one.public_address for one in self.listeners if one.public_address}
        names = sorted(name for name in shown if not is_ip_address(name))
        if names and self.media.address in EVERYWHERE and not self.media.public_address:
            raise ValueError(
                f"media.public_address is missing: the public_address {names[0]} of sip.listeners "
                "is a name, and SDP takes an IP address"
            )

    @property
    def listeners(self) -> tuple[ListenerTable, ...]:
        """Those of the file, else UDP and TCP 5060, and TLS 5061 where there is a certificate."""
        usual: tuple[ListenerTable, ...] = (
            ListenerTable("UDP", 5060),
            ListenerTable("TCP", 5060),
        )
        if self.tls.certificate is not None:
            usual += (ListenerTable("TLS", 5061),)
        return self.sip.listeners or usual
