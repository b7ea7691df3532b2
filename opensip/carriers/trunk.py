"""What is known of one trunk: whom it admits, where its numbers lead, how a call goes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal

from opensip.net.tls import Profile
from opensip.sip.digest import ALGORITHMS, Ha1

Srtp = Literal["required", "preferred", "off"]
Keying = Literal["sdes", "dtls", "auto"]  # how its keys are agreed on
IdentityPolicy = Literal["off", "annotate", "prefer", "enforce"]
ContextForm = Literal["generic", "bandwidth"]  # how User-to-User is written to a target

Refers = Literal["deny", "allow"]

DtmfWay = Literal["auto", "rfc4733", "info-relay", "info", "inband"]  # how digits are sent

ANY_NUMBER = "*"  # the key of Trunk.numbers that takes what no other key does


@dataclass(frozen=True, slots=True)
class Number:
    """Where one called number leads. `recording` and `consent` of None follow the trunk."""

    agent: str
    recording: bool | None = None
    consent: str | None = None


@dataclass(frozen=True, slots=True)
class Trunk:
    """One trunk. Numbers are E.164, or names such as "echo"; times are in seconds.

    Inbound: `networks` and `users` together mean both must fit, either with `any`.
    `trusted` lets its identity headers, User-to-User, Diversion and the X- `headers` in.
    `identity` says what a signed caller's number (RFC 8224) is checked for: "annotate" tells the
    agent, "prefer" turns away what is proven wrong, "enforce" all that is not proven right.
    Outbound: `termination` is the SIP URI whose user part the dialled number replaces;
    a digest challenge is answered for `realms` only. `proxy` is the SIP URI by way of which
    requests go there; `tls_name` the name in the trunk's certificate, where that is not the
    host of the URI; `client_certificate` demands one of its connections to us.
    """

    name: str
    carrier: str = "generic"
    country: str = "US"
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    users: Mapping[str, Ha1] = field(default_factory=dict)
    digest: tuple[str, ...] = ALGORITHMS  # that its users are challenged for
    any: bool = False
    trusted: bool = True
    headers: tuple[str, ...] = ()
    identity: IdentityPolicy = "annotate"
    numbers: Mapping[str, Number] = field(default_factory=dict)
    emergency_redirect: str = ""  # a SIP URI for calls to 911 and its kin; "": they get 404
    srtp: Srtp = "preferred"
    keying: Keying = "sdes"  # "auto": takes either, and offers SDES
    tls: Profile = "strict"
    codecs: tuple[str, ...] = ("PCMU", "PCMA")
    change_codec: bool = True  # a bridged peer is asked by re-INVITE for what the other speaks
    symmetric: bool = True
    dtmf: DtmfWay = "auto"
    hear_tones: bool = False  # digits are looked for in the sound as well
    tls_name: str = ""
    client_certificate: bool = False
    certificate: Path | None = None  # ours towards this trunk, in place of the server's
    key: Path | None = None
    ca: Path | None = None  # whom we trust in its certificates, in place of the server's
    termination: str = ""
    proxy: str = ""
    registrar: str = ""  # a SIP URI: we register there
    address: str = ""  # what we register, "sip:user@host"; "": username at the registrar
    register_seconds: float = 3600.0
    probe_seconds: float = 0.0  # between two OPTIONS; 0: none are sent
    realms: tuple[str, ...] = ()
    username: str = ""
    password: str = field(default="", repr=False)
    caller_ids: tuple[str, ...] = ()
    transfer: tuple[str, ...] = ("refer", "bridge")  # strategies, in the order they are tried
    profile: ContextForm = "generic"  # the form of hand-over context its targets can read
    refers: Refers = "deny"  # a REFER of a human whom we called: may it pass the caller on?
    refer_to_headers: bool = True  # False: it cannot read a Refer-To whose URI has headers
    recording: bool = False
    recording_form: str = "wav"  # once the call is over: "wav", "flac" or "opus"
    consent: str = ""  # spoken before a recorded call is answered by the agent; "": not asked
    max_calls: int = 0  # at once; 0: no limit
    max_seconds: float = 3600.0
    first_timeout: float = 30.0
    silence_timeout: float = 15.0

    def route(self, number: str) -> Number | None:
        """Find where a normalised number leads, recording and consent filled in."""
        found = self.numbers.get(number) or self.numbers.get(ANY_NUMBER)
        if found is None:
            return None
        recording = self.recording if found.recording is None else found.recording
        consent = self.consent if found.consent is None else found.consent
        return Number(found.agent, recording, consent)
