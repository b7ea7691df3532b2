"""What offer and answer settled, as the stream takes it and as the journal tells it."""

import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from opensip.errors import MissingExtra
from opensip.events import MediaNegotiated
from opensip.media.engine import Address, SrtpKeys, Stream, StreamConfig
from opensip.sdp.offer_answer import Negotiated
from opensip.sip.grammar import format_host_port

if TYPE_CHECKING:
    from opensip.media.keying_pair import KeyingPair


def stream_config(
    agreed: Negotiated,
    *,
    remote: Address | None,
    rtcp: Address | None,
    symmetric: bool,
    control: SrtpKeys | None = None,
) -> StreamConfig:
    """Say to the stream what was agreed. While keys are yet to come by DTLS it has no peer.

    Without `mux` RTCP has a handshake of its own under DTLS, and stays away without its keys,
    which are `control`.
    """
    keys = SrtpKeys(agreed.suite, agreed.tx_key, agreed.rx_key) if agreed.suite else None
    by_dtls = agreed.dtls is not None
    waits = by_dtls and keys is None
    reports = not waits and (not by_dtls or agreed.mux or control is not None)
    return StreamConfig(
        remote=None if waits else remote,
        rtcp=rtcp if reports and rtcp is not None and rtcp[1] else None,
        codec=agreed.codec.encoding_name,
        payload_type=agreed.payload_type,
        event_payload_type=agreed.dtmf_payload_type,
        receive=tuple((number, form.encoding_name) for number, form in agreed.receive),
        keys=keys,
        control=control,
        ptime=agreed.ptime,
        sending=agreed.direction in ("sendrecv", "sendonly"),
        symmetric=symmetric,
        event_clock=agreed.event_clock,
        fmtp=agreed.fmtp,
        beside=by_dtls,
        mux=agreed.mux,
    )


def place(address: Address) -> str:
    """Write an address as journals have it: one of IPv6 stands in brackets."""
    return format_host_port(*address)


def summary(agreed: Negotiated) -> tuple[str, str, str]:
    """Tell what a change is worth a note of: codec, suite, address."""
    return agreed.codec.encoding_name, agreed.suite, place(agreed.remote)


def is_news(agreed: Negotiated, old: Negotiated | None) -> bool:
    """Tell whether an agreement is worth a note: another than before, and its keys are there."""
    waits = agreed.dtls is not None and not agreed.suite
    return not waits and (old is None or summary(old) != summary(agreed))


def news(agreed: Negotiated, address: Address, *, at: float) -> MediaNegotiated:
    """Make that note; `address` is ours."""
    codec, suite, remote = summary(agreed)
    return MediaNegotiated(at, codec, suite, place(address), remote)


def with_keys(agreed: Negotiated, keys: SrtpKeys | None) -> Negotiated:
    """Add to an agreement on DTLS what its handshake came to."""
    if agreed.dtls is None or keys is None:
        return agreed
    return replace(agreed, suite=keys.suite, tx_key=keys.transmit, rx_key=keys.receive)


def check_keying(keying: str) -> None:
    """Find out whether keys can be agreed on in that way here. Raises MissingExtra."""
    if keying == "sdes":
        return
    try:
        importlib.import_module("opensip.media.dtls")
    except ImportError as error:
        raise MissingExtra("webrtc", f"keying = {keying!r}") from error


def same_way(current: Negotiated) -> dict[str, Any]:
    """Offer what stands: by which way keys come, and the suite of those we have."""
    if current.dtls is not None:
        return {"keying": "dtls"}
    return {"keying": "sdes", "suites": (current.suite,)} if current.suite else {}


def make_keying(
    way: str,
    stream: Stream,
    *,
    keyed: Callable[[], None],
    failed: Callable[[str], None],
    random: Callable[[int], bytes],
) -> "KeyingPair | None":
    """Make the DTLS of a stream, where keys may come so. Raises MissingExtra."""
    if way == "sdes":
        return None
    check_keying(way)
    from opensip.media.keying_pair import KeyingPair  # noqa: PLC0415 - needs an extra

    made = KeyingPair(
        send=stream.send_beside,
        expect=stream.expect_beside,
        keyed=keyed,
        failed=failed,
        random=random,
    )
    stream.control = made.receive_control
    return made
