"""What two sides have in common: codecs, keys, directions (RFC 3264 section 6, RFC 4568, 5763)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from opensip.errors import NegotiationError, RemoteProtocolError
from opensip.rtp.payload import PayloadFormat
from opensip.rtp.srtp import SUITES
from opensip.sdp.crypto import CryptoAttribute, choose
from opensip.sdp.description import (
    MediaDescription,
    SessionDescription,
    address_type,
    canonical,
    is_ip_address,
    parse_integer,
)
from opensip.sdp.fingerprint import DtlsPeer, OwnDtls, read_peer
from opensip.sdp.places import check_not_ours, check_place

Formats = tuple[tuple[int, PayloadFormat], ...]  # by payload type, preferred first

SECURE = ("RTP/SAVP", "RTP/SAVPF")
DTLS = ("UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF")
PLAIN = ("RTP/AVP", "RTP/AVPF")
UNSPECIFIED = ("0.0.0.0", "::")  # noqa: S104 - the hold of RFC 2543, not an address to bind
PTIMES = (10, 20, 30, 40, 50, 60)  # what a peer may ask us to send; else we keep to our own
EVENT = "telephone-event"
LISTED = 8  # names in a warning

_SENDING = ("sendrecv", "sendonly")
_RECEIVING = ("sendrecv", "recvonly")
_DIRECTIONS = {
    (True, True): "sendrecv",
    (True, False): "sendonly",
    (False, True): "recvonly",
    (False, False): "inactive",
}


@dataclass(frozen=True, slots=True)
class Local:
    """What we bring: `formats` and `suites` in order of preference, `ptime` in milliseconds.

    `bound` is where we take media, if that is not `address`, as behind NAT.
    `keying` says how keys of SRTP are agreed on: "sdes", "dtls", or "auto", which takes either and
    offers SDES. `dtls` is wanted for the last two.
    """

    address: str
    port: int
    formats: tuple[PayloadFormat, ...]
    srtp: str = "off"
    ptime: int = 20
    direction: str = "sendrecv"
    suites: tuple[str, ...] = tuple(SUITES)
    keying: str = "sdes"
    dtls: OwnDtls | None = None
    bound: str = ""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where our media is, to others and to ourselves."""
        return self.address, self.bound or self.address

    @property
    def profiles(self) -> str:
        """Name the secure profiles that we can."""
        known = {"sdes": SECURE[:1], "dtls": DTLS[:1]}.get(self.keying, SECURE[:1] + DTLS[:1])
        return " and ".join(known)


def first_that_fits(
    local: Local, offered: SessionDescription
) -> tuple[int, CryptoAttribute | DtlsPeer | None, Formats]:
    """Find the audio stream to take, a secure one first, and how its keys are agreed on."""
    streams = [(n, m) for n, m in enumerate(offered.media) if m.kind == "audio" and m.port]
    if not streams:
        kinds = _listing(m.kind + " at port 0" * (not m.port) for m in offered.media)
        raise NegotiationError(f"offered {kinds or 'no media'}; we can audio")
    refusals: dict[str, None] = {}
    secure = (*SECURE, *DTLS)
    for index, media in sorted(streams, key=lambda stream: stream[1].protocol not in secure):
        try:
            keys = _common_keys(local, offered, media)
            formats = common_formats(local.formats, media.payload_formats())
        except NegotiationError as error:
            refusals[error.warning] = None
        else:
            return index, keys, formats
    raise NegotiationError("; ".join(refusals))


def _common_keys(
    local: Local, offered: SessionDescription, media: MediaDescription
) -> CryptoAttribute | DtlsPeer | None:
    """Choose the peer's keys as the trunk's `srtp` and `keying` want it; None means plain RTP."""
    secure = media.protocol in SECURE or media.protocol in DTLS
    if media.protocol not in PLAIN and not (secure and _may_come(local, media)):
        raise NegotiationError(f"offered {media.protocol}; we can {local.profiles} and RTP/AVP")
    if local.srtp == "off":
        if secure:
            raise NegotiationError(f"offered {media.protocol}; we can RTP/AVP, SRTP is off")
        return None
    crypto, refusals = _offered_crypto(local, media)
    keys = crypto or (read_peer(local.dtls, offered, media) if local.dtls else None)
    if not keys and (secure or local.srtp == "required"):
        by_dtls = media.protocol in DTLS or local.keying == "dtls"
        named = _listing(refusals) or ("no fingerprint" if by_dtls else "no keys")
        ours = f"SRTP with {_listing(local.suites)}" if local.keying != "dtls" else local.profiles
        raise NegotiationError(f"offered {media.protocol} with {named}; we can {ours}")
    return keys


def _may_come(local: Local, media: MediaDescription) -> bool:
    """Tell whether we know a secure profile; RTP/SAVP may also name a certificate."""
    return media.protocol in SECURE or local.dtls is not None


def _offered_crypto(
    local: Local, media: MediaDescription
) -> tuple[CryptoAttribute | None, tuple[str, ...]]:
    if local.keying == "dtls" or media.protocol in DTLS:
        return None, ()
    return choose(media.get_all("crypto"), local.suites)


def answered_dtls(
    local: Local, setup: str, answered: SessionDescription, media: MediaDescription
) -> DtlsPeer | None:
    """Read the answer to an offer of DTLS-SRTP; None means plain RTP (RFC 8643)."""
    peer = read_peer(local.dtls, answered, media, offered=setup) if local.dtls and setup else None
    if peer is None and setup and (media.protocol not in PLAIN or local.srtp == "required"):
        raise NegotiationError(f"offered {media.protocol} with DTLS; answered no fingerprint")
    return peer


def answered_crypto(
    local: Local, cryptos: Sequence[CryptoAttribute], media: MediaDescription
) -> tuple[CryptoAttribute, CryptoAttribute] | None:
    """Pair the answer's key with the line of ours that it took; None means no SDES."""
    values = media.get_all("crypto") if cryptos else []
    if not values and media.protocol in PLAIN and local.srtp != "required":
        return None
    theirs, refusals = choose(values, local.suites)
    own = [c for c in cryptos if theirs and (c.tag, c.suite) == (theirs.tag, theirs.suite)]
    if not theirs or not own:
        answered = theirs.suite if theirs else _listing(refusals) or "no keys"
        raise NegotiationError(
            f"offered SRTP with {_listing(c.suite for c in cryptos)}; answered {answered}"
        )
    return own[0], theirs


def common_formats(ours: tuple[PayloadFormat, ...], theirs: dict[int, PayloadFormat]) -> Formats:
    """Pick the peer's first codec that we have, and the event format with the same clock."""
    codecs = [form for form in ours if form.encoding_name != EVENT]
    for number, offered in theirs.items():
        for codec in codecs:
            if codec.matches(offered):
                return ((number, codec), *_common_event(ours, theirs, codec))
    offered_names = _listing(f.rtpmap for f in theirs.values() if not is_event(f))
    raise NegotiationError(
        f"offered {offered_names or 'no known codec'}; we can {_listing(f.rtpmap for f in codecs)}"
    )


def _common_event(
    ours: tuple[PayloadFormat, ...], theirs: dict[int, PayloadFormat], codec: PayloadFormat
) -> Formats:
    """Find the events with the clock of the codec (RFC 4733 section 2.1), else any we share.

    Many offer Opus with events at 8000 only: digits at the wrong clock are better than none.
    """
    events = [form for form in ours if is_event(form)]
    common = [(n, own) for n, form in theirs.items() for own in events if own.matches(form)]
    common.sort(key=lambda pair: pair[1].clock_rate != codec.clock_rate)
    return tuple(common[:1])


def is_event(form: PayloadFormat) -> bool:
    """Tell whether a format is that of RFC 4733."""
    return form.encoding_name.lower() == EVENT


def event_type(common: Iterable[tuple[int, PayloadFormat]]) -> int | None:
    """Find the payload type of telephone events, if agreed on."""
    return next((number for number, form in common if is_event(form)), None)


def wishes(media: MediaDescription, payload_type: int) -> str:
    """Give the format parameters with which the peer describes what it wants to get."""
    form = media.payload_formats().get(payload_type)
    return form.fmtp if form else ""


def directions(
    local: Local, described: SessionDescription, media: MediaDescription, silent: bool
) -> tuple[str, bool]:
    """Tell our direction, and whether the peer holds us (RFC 3264 sections 6.1 and 8.4)."""
    levels = (media.attributes, described.attributes)
    stated = (name for level in levels for name, _ in level if name in _DIRECTIONS.values())
    theirs = next(stated, "sendrecv")
    held = silent or theirs not in _RECEIVING
    sends = local.direction in _SENDING and not held
    receives = local.direction in _RECEIVING and theirs in _SENDING
    return _DIRECTIONS[sends, receives], held


def remote_address(
    local: Local, described: SessionDescription, media: MediaDescription, *, ice: bool = False
) -> tuple[str, bool]:
    """Find where the peer listens, and whether that is nowhere: the hold of RFC 2543.

    With ICE it is not: such a peer has yet to tell its candidates (RFC 8840 section 4.1.1).
    Raises NegotiationError where nobody's media may be.
    """
    address = media.connection or described.connection
    if address is None:
        raise RemoteProtocolError("SDP with media but without c= line")
    if not is_ip_address(address):
        raise NegotiationError("offered a host name in c=; we can IP addresses")
    address = canonical(address)
    if address in UNSPECIFIED:
        return address, not ice
    if address_type(address) != address_type(local.address):
        ours = address_type(local.address)
        raise NegotiationError(f"offered {address_type(address)}; we can {ours}", warning_code=301)
    check_place(address, ours=local.addresses)
    for own in local.addresses:
        check_not_ours((address, media.port), address=canonical(own), port=local.port)
    return address, False


def rtcp_address(
    local: Local, address: str, media: MediaDescription, *, mux: bool = False
) -> tuple[str, int]:
    """Find where RTCP goes: with RTP (RFC 5761), a=rtcp (RFC 3605), or the next port."""
    if mux:
        return address, media.port
    value = media.get("rtcp")
    if value is None:
        return address, min(media.port + 1, 65535)
    port, _, rest = value.partition(" ")
    words = rest.split()
    if len(words) == 3 and is_ip_address(words[2]) and canonical(words[2]) not in UNSPECIFIED:
        address = canonical(words[2])
        check_place(address, ours=local.addresses)
    return address, parse_integer(port, "RTCP port", 0, 65535)


def packet_time(local: Local, described: SessionDescription, media: MediaDescription) -> int:
    """Tell how many milliseconds the peer likes in a packet; what is odd leaves it to us.

    It is no more than the peer takes by a=maxptime (RFC 8866 section 6.4), where we can.
    """
    liked = _milliseconds("ptime", described, media)
    ptime = int(liked) if liked in PTIMES else local.ptime
    most = _milliseconds("maxptime", described, media)
    if most is None or ptime <= most:
        return ptime
    return max((fitting for fitting in PTIMES if fitting <= most), default=PTIMES[0])


def _milliseconds(
    name: str, described: SessionDescription, media: MediaDescription
) -> float | None:
    text = media.get(name) or described.get(name)
    if not text:
        return None
    whole, point, part = text.strip().partition(".")  # section 6.4 lets it be a real number
    if point and not (part.isascii() and part.isdigit()):
        raise RemoteProtocolError(f"SDP {name} {text[:40]!r} is no number")
    return parse_integer(whole, name, 0, 65535) + (float(f"0.{part}") if point else 0)


def _listing(names: Iterable[str]) -> str:
    return ", ".join(list(dict.fromkeys(names))[:LISTED])
