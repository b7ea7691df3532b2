"""Offer and answer for one audio stream: RFC 3264, keys by SDES (RFC 4568) or DTLS (RFC 5763).

`srtp` of a trunk is "required" (RTP/SAVP, or UDP/TLS/RTP/SAVP for DTLS), "preferred" (RTP/AVP with
a=crypto or a=fingerprint, RFC 8643) or "off". An answer never changes the offer's profile. Where
keys come in either profile, they are used; under "required" no stream is ever plain.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from opensip.errors import NegotiationError
from opensip.rtp.payload import PayloadFormat
from opensip.rtp.srtp import SUITES
from opensip.sdp.capabilities import (
    DTLS,
    SECURE,
    Formats,
    Local,
    answered_crypto,
    answered_dtls,
    common_formats,
    directions,
    event_type,
    first_that_fits,
    is_event,
    packet_time,
    remote_address,
    rtcp_address,
    wishes,
)
from opensip.sdp.crypto import CryptoAttribute
from opensip.sdp.description import Attributes, MediaDescription, Origin, SessionDescription
from opensip.sdp.fingerprint import DtlsPeer, dtls_attributes
from opensip.sdp.ice import IcePeer, ice_attributes, read_ice

__all__ = ["Local", "Negotiated", "Offer", "apply_answer", "make_answer", "make_offer"]

EVENT_TYPE = 101  # the number that carriers recommend

Keys = Callable[[int], bytes]  # that many random bytes


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer of ours, to be read together with its answer."""

    sdp: bytes = field(repr=False)  # keys stay out of logs
    cryptos: tuple[CryptoAttribute, ...]
    local: Local
    protocol: str
    payload_types: Formats
    index: int = 0  # of the audio among the streams
    setup: str = ""  # of DTLS, where that is offered


@dataclass(frozen=True, slots=True, repr=False)
class Negotiated:
    """What both sides agreed on.

    `sdp` is our description; `remote` and `rtcp` where to send. `payload_type` and
    `dtmf_payload_type` are for sending, `receive` maps what may come; they differ where the
    peer numbers otherwise (RFC 3264 section 5.1). `ptime` is what the peer likes to get, in
    milliseconds. `direction` is ours; `held` says that the peer does not want to hear us.
    `suite` is "" for plain RTP; a key is master key and salt. With `dtls` both are yet to come:
    from a handshake with such a peer, behind the checks of `ice` where that is agreed on too.
    `mux` lets RTCP share RTP's port. `listed` is all that the peer's description has.
    """

    sdp: bytes
    remote: tuple[str, int]
    rtcp: tuple[str, int]
    codec: PayloadFormat
    payload_type: int
    dtmf_payload_type: int | None
    receive: Formats
    ptime: int
    direction: str
    held: bool
    suite: str = ""
    tx_key: bytes = b""
    rx_key: bytes = b""
    fmtp: str = ""  # what the peer asks of what we send
    dtls: DtlsPeer | None = None
    ice: IcePeer | None = None
    mux: bool = False
    listed: tuple[PayloadFormat, ...] = ()

    @property
    def event_clock(self) -> int:
        """The clock rate in Hz of telephone events."""
        return next((form.clock_rate for _, form in self.receive if is_event(form)), 8000)

    def __repr__(self) -> str:  # keys stay out of logs
        return f"Negotiated({self.codec.rtpmap} {self.suite} {self.direction} {self.remote})"


def make_offer(
    local: Local, *, session_id: int, version: int, keys: Keys, previous: bytes = b""
) -> Offer:
    """Offer one audio stream. `keys` gives as many random bytes as it is asked for.

    `previous` is our description that stands, in a later offer: the audio keeps its profile,
    and streams that we refused keep their places (RFC 3264 section 8).
    """
    setup = _offered_setup(local)
    suites = local.suites if local.srtp != "off" and not setup else ()
    cryptos = tuple(_own_crypto(n, suite, keys) for n, suite in enumerate(suites, 1))
    types = tuple(_number(local.formats))
    sections = list(SessionDescription.parse(previous).media) if previous else []
    index = next((n for n, m in enumerate(sections) if m.port), 0)
    secure = DTLS[0] if setup else SECURE[0]
    first = secure if local.srtp == "required" else "RTP/AVP"
    protocol = sections[index].protocol if sections else first
    security = _dtls_attributes(local, setup) if setup else _crypto_attributes(cryptos)
    sections[index : index + 1] = [
        _describe_media(local, protocol, types, security, local.direction)
    ]
    sdp = _describe(local, session_id, version, tuple(sections), lite=bool(setup))
    return Offer(sdp, cryptos, local, protocol, types, index, setup)


def make_answer(
    local: Local, offer: bytes, *, session_id: int, version: int, keys: Keys
) -> Negotiated:
    """Answer an offer: its first audio stream that fits, each other one refused with port 0.

    Of the common codecs the offer's first is taken. Raises RemoteProtocolError on garbage,
    NegotiationError when nothing fits.
    """
    offered = SessionDescription.parse(offer)
    index, theirs, common = first_that_fits(local, offered)
    media = offered.media[index]
    dtls = theirs if isinstance(theirs, DtlsPeer) else None
    pair = None
    if isinstance(theirs, CryptoAttribute):
        pair = _own_crypto(theirs.tag, theirs.suite, keys), theirs
    ice, mux = _common_transport(local, dtls, offered, media)
    ice = ice if mux else None  # we answer checks on one port only: then none are better
    agreed = _agreed(local, offered, media, common, pair=pair, dtls=dtls, ice=ice, mux=mux)
    security = _crypto_attributes(pair[:1] if pair else ())
    if dtls is not None:
        security = _dtls_attributes(local, dtls.role, ice=ice is not None, mux=mux)
    answered = _describe_media(local, media.protocol, common, security, agreed.direction)
    sections = tuple(answered if n == index else _refused(m) for n, m in enumerate(offered.media))
    times = tuple(line for line in offered.others if line[0] == "t")  # equal, RFC 3264 section 6
    sdp = _describe(local, session_id, version, sections, times, lite=ice is not None)
    return replace(agreed, sdp=sdp)


def apply_answer(offer: Offer, answer: bytes) -> Negotiated:
    """Read the answer to our offer. Raises RemoteProtocolError or NegotiationError."""
    answered = SessionDescription.parse(answer)
    if len(answered.media) <= offer.index or not answered.media[offer.index].port:
        raise NegotiationError("the answer refuses the audio")
    media = answered.media[offer.index]
    if media.kind != "audio" or media.protocol != offer.protocol:
        raise NegotiationError(f"offered {offer.protocol}, answered {media.kind} {media.protocol}")
    local = offer.local
    dtls = answered_dtls(local, offer.setup, answered, media)
    pair = None if offer.setup else answered_crypto(local, offer.cryptos, media)
    ice, mux = _common_transport(local, dtls, answered, media)
    if ice and not ice.lite and not mux:  # its checks on RTCP's port would find nobody
        raise NegotiationError("the answer has ICE without rtcp-mux: let the peer keep a=rtcp-mux")
    common = common_formats(local.formats, media.payload_formats())
    receive = _receivable(offer, media, common)
    agreed = _agreed(local, answered, media, common, pair=pair, dtls=dtls, ice=ice, mux=mux)
    return replace(agreed, sdp=offer.sdp, receive=receive)


def _receivable(offer: Offer, media: MediaDescription, common: Formats) -> Formats:
    """Give what may come, by our numbers: any codec of the answer may (RFC 3264 section 7)."""
    theirs = media.payload_formats().values()
    event = [form for _, form in common if is_event(form)]
    return tuple(
        (number, form)
        for number, form in offer.payload_types
        if (form in event if is_event(form) else any(map(form.matches, theirs)))
    )


def _agreed(
    local: Local,
    described: SessionDescription,
    media: MediaDescription,
    common: Formats,
    *,
    pair: tuple[CryptoAttribute, CryptoAttribute] | None,
    dtls: DtlsPeer | None,
    ice: IcePeer | None,
    mux: bool,
) -> Negotiated:
    """Read what the peer's `media` comes to; `pair` are our key and its. `sdp` is yet to come."""
    address, silent = remote_address(local, described, media, ice=ice is not None)
    direction, held = directions(local, described, media, silent)
    own, theirs = pair or (None, None)
    return Negotiated(
        sdp=b"",
        remote=(address, media.port),
        rtcp=rtcp_address(local, address, media, mux=mux),
        codec=common[0][1],
        payload_type=common[0][0],
        dtmf_payload_type=event_type(common),
        receive=common,
        ptime=packet_time(local, described, media),
        direction=direction,
        held=held,
        suite=own.suite if own else "",
        tx_key=own.key if own else b"",
        rx_key=theirs.key if theirs else b"",
        fmtp=wishes(media, common[0][0]),
        dtls=dtls,
        ice=ice,
        mux=mux,
        listed=tuple(media.payload_formats().values()),
    )


def _number(formats: Iterable[PayloadFormat]) -> Iterator[tuple[int, PayloadFormat]]:
    """Give each format its payload type: static, 101 for events at 8000, else from 96 on."""
    free = iter(n for n in range(96, 128) if n != EVENT_TYPE)
    for form in formats:
        if form.static_type is not None:
            yield form.static_type, form
        else:
            usual = is_event(form) and form.clock_rate == 8000
            yield (EVENT_TYPE if usual else next(free)), form


def _own_crypto(tag: int, suite: str, keys: Keys) -> CryptoAttribute:
    return CryptoAttribute(tag, suite, keys(SUITES[suite].master_length))


def _crypto_attributes(cryptos: Iterable[CryptoAttribute]) -> Attributes:
    return tuple(("crypto", str(crypto)) for crypto in cryptos)


def _offered_setup(local: Local) -> str:
    """Tell which setup an offer of ours has: what is settled stays; "" where it is not of DTLS."""
    if local.dtls is None or local.keying != "dtls" or local.srtp == "off":
        return ""
    return local.dtls.role or "actpass"


def _dtls_attributes(
    local: Local, setup: str, *, ice: bool = True, mux: bool | None = None, named: bool = True
) -> Attributes:
    """Write certificate and role, RTCP beside RTP, and our candidates."""
    own = local.dtls
    if own is None:
        return ()
    lines = list(dtls_attributes(own, setup, named=named))
    mux = own.mux if mux is None else mux
    if mux:
        lines.append(("rtcp-mux", ""))
    if ice:
        lines += ice_attributes(own.ufrag, own.password, local.address, local.port, mux=mux)
    return tuple(lines)


def _common_transport(
    local: Local, dtls: DtlsPeer | None, described: SessionDescription, media: MediaDescription
) -> tuple[IcePeer | None, bool]:
    """Tell whether ICE and RTCP beside RTP are agreed on; both go with DTLS only."""
    if dtls is None or local.dtls is None:
        return None, False
    ice = read_ice(described, media)
    if ice and not ice.fits(media.connection or described.connection or "", media.port):
        ice = None
    return ice, local.dtls.mux and media.get("rtcp-mux") is not None


def _describe_media(
    local: Local,
    protocol: str,
    types: Iterable[tuple[int, PayloadFormat]],
    security: Attributes,
    direction: str,
) -> MediaDescription:
    numbers, attributes = [], []
    for number, form in types:
        numbers.append(str(number))
        attributes.append(("rtpmap", f"{number} {form.rtpmap}"))
        if form.fmtp:
            attributes.append(("fmtp", f"{number} {form.fmtp}"))
    attributes += security
    attributes += (("ptime", str(local.ptime)), (direction, ""))
    return MediaDescription(
        "audio", local.port, protocol, tuple(numbers), attributes=tuple(attributes)
    )


def _refused(media: MediaDescription) -> MediaDescription:
    return MediaDescription(media.kind, 0, media.protocol, media.formats)


def _describe(
    local: Local,
    session_id: int,
    version: int,
    media: tuple[MediaDescription, ...],
    times: Attributes = (),
    *,
    lite: bool = False,
) -> bytes:
    origin = Origin(str(session_id), str(version), local.address)
    times = times or (("t", "0 0"),)
    session: Attributes = (("ice-lite", ""),) if lite else ()
    return SessionDescription(origin, "-", local.address, times, session, media).to_bytes()
