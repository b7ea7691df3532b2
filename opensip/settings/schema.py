"""The keys of opensip.toml and of a trunk's file, with their defaults. Times are in seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal

from opensip.agent.definition import Account
from opensip.carriers.trunk import DtmfWay, IdentityPolicy, Srtp
from opensip.log import Form, Level
from opensip.net.dns import split_server
from opensip.net.guarded_https import PORTS
from opensip.net.limits import ConnectionLimits
from opensip.net.tls import Profile
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
    port: int
    host: str = "0.0.0.0"  # noqa: S104 - a server listens
    public_address: str = ""
    profile: Profile = "strict"
    require_client_certificate: bool = False


@dataclass(frozen=True, slots=True)
class SipTable:
    """`[sip]`: what all listeners share. Without listeners there are the usual ones."""

    realm: str = "opensip"
    strangers: Literal["silent", "refuse"] = "silent"
    user_agent: str = "opensip"
    name_servers: tuple[str, ...] = ()
    blacklist_seconds: float = 60.0
    nonce_seconds: float = NONCE_SECONDS
    listeners: tuple[ListenerTable, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.nonce_seconds <= LONGEST_NONCE:
            raise ValueError(
                f"nonce_seconds {self.nonce_seconds:g}: from 1 to {LONGEST_NONCE:g} seconds"
            )
        for server in self.name_servers:
            split_server(server)


@dataclass(frozen=True, slots=True)
class TlsTable:
    """`[tls]`: files of our certificate, PEM."""

    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class MediaTable:
    """`[media]`: where RTP comes in, and which engine moves it."""

    address: str = "0.0.0.0"  # noqa: S104 - a server listens
    public_address: str = ""
    first_port: int = 20000
    last_port: int = 29999
    engine: Literal["auto", "native", "python"] = "auto"

    def __post_init__(self) -> None:
        if not 1024 <= self.first_port < self.last_port <= 65535:
            raise ValueError(
                f"ports {self.first_port} to {self.last_port} are no range within 1024 to 65535"
            )


@dataclass(frozen=True, slots=True)
class CallsTable:
    """`[calls]`: limits of all calls together."""

    max_calls: int = 0
    drain_seconds: float = 30.0
    ring_timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class AbuseTable:
    """`[abuse]`: what strangers may take of us; sources in a trunk's networks are none."""

    messages_per_second: float = 20.0
    burst: int = 100
    answers: int = 10
    ban_seconds: float = 300.0
    scanners: tuple[str, ...] = SCANNERS
    connections: int = 8
    handshakes: int = 100
    handshake_seconds: float = 5.0
    message_seconds: float = 10.0
    idle_seconds: float = 15.0

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
            self.messages_per_second, self.burst, self.answers, self.ban_seconds, self.scanners
        )


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
class UserTable:
    """`[users.NAME]` of a trunk: hashes that `opensip hash-password` prints, or a secret."""

    md5: str = ""
    sha256: str = ""
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
    register_seconds: float = 3600.0
    probe_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class TrunkTable:
    """A trunk's file, or `[trunks.NAME]`. What is left out follows the carrier."""

    carrier: str = "generic"
    country: str = "US"
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    any: bool = False
    users: Mapping[str, UserTable] = field(default_factory=dict)
    digest: tuple[Digest, ...] = ("SHA-256", "MD5")
    numbers: Mapping[str, str | NumberTable] = field(default_factory=dict)
    trusted: bool = True
    headers: tuple[str, ...] = ()
    identity: IdentityPolicy = "annotate"
    srtp: Srtp | None = None
    tls: Profile | None = None
    tls_name: str = ""
    client_certificate: bool = False
    codecs: tuple[str, ...] | None = None
    symmetric: bool = True
    dtmf: DtmfWay = "auto"
    hear_tones: bool = False
    recording: OnOff = "off"
    consent: str = ""
    transfer: tuple[str, ...] = ("refer",)
    profile: str | None = None
    refer_to_headers: bool = True
    emergency_redirect: str = ""
    max_calls: int = 0
    max_seconds: float = 3600.0
    first_timeout: float = 30.0
    silence_timeout: float = 15.0
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
    log: LogTable = LogTable()
    directory: Mapping[str, str] = field(default_factory=dict)
    providers: Mapping[str, Account] = field(default_factory=dict)
    trunks: Mapping[str, TrunkTable] = field(default_factory=dict)

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
