"""The DTLS of one session on both of its ports: RTP's, and RTCP's where they are not one."""

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from typing import Protocol

import structlog

from opensip.media.dtls import DtlsCertificate
from opensip.media.engine import Address, Beside, SrtpKeys
from opensip.media.keying import Keying
from opensip.sdp.capabilities import UNSPECIFIED
from opensip.sdp.fingerprint import OwnDtls
from opensip.sdp.offer_answer import Negotiated

log = structlog.get_logger(__name__)


class Send(Protocol):
    """Sends a datagram from the port of RTP, or from that of RTCP."""

    def __call__(self, datagram: bytes, to: Address, *, control: bool = False) -> None:
        """Send it at once."""


class KeyingPair:
    """An association for RTP, as `Keying` has it, and one more for RTCP (RFC 5764 section 3).

    RTCP needs its own where the peer does not agree to rtcp-mux: `control_keys` are its keys. It
    is not worth a call: where it comes to nothing there are no reports, and the log says why.
    """

    def __init__(
        self,
        *,
        send: Send,
        expect: Callable[[Collection[Address]], None],
        keyed: Callable[[], None],
        failed: Callable[[str], None],
        random: Callable[[int], bytes],
    ) -> None:
        self._expect = expect  # learns where what comes beside RTP comes from
        self._sources: frozenset[Address] = frozenset()
        self._candidates: frozenset[Address] = frozenset()  # where the peer says that it may be
        certificate = DtlsCertificate()
        self._media = Keying(
            certificate=certificate, send=send, keyed=keyed, failed=failed, random=random
        )
        self._control = Keying(
            certificate=certificate,
            send=partial(send, control=True),
            keyed=keyed,
            failed=lambda why: log.warning("rtcp_not_keyed", why=why),
            random=random,
        )

    @property
    def own(self) -> OwnDtls:
        """What descriptions of ours say."""
        return self._media.own

    @property
    def keys(self) -> SrtpKeys | None:
        """The keys of RTP, and of RTCP on its port."""
        return self._media.keys

    @property
    def control_keys(self) -> SrtpKeys | None:
        """The keys of RTCP on a port of its own."""
        return self._control.keys

    @property
    def remote(self) -> Address | None:
        """Where the peer's media is."""
        return self._media.remote

    def renew(self, agreed: Negotiated) -> bool:
        """Make new what an answer of ours must not repeat; tell whether anything was."""
        return self._media.renew(agreed)

    def agree(self, agreed: Negotiated, told: Address | None) -> None:
        """Follow offer and answer; `told` is where the peer is by its SDP."""
        self._candidates = agreed.ice.places if agreed.ice is not None else frozenset()
        self._media.agree(agreed, told)
        self._tell_sources()
        if agreed.mux:
            self._control.forget()
        elif agreed.rtcp[0] not in UNSPECIFIED:  # the old hold leaves it where it was
            self._control.agree(replace(agreed, ice=None), agreed.rtcp)

    def receive(self, beside: Beside) -> None:
        """Take a datagram that came beside RTP."""
        self._media.receive(beside)
        self._tell_sources()

    def receive_control(self, beside: Beside) -> None:
        """Take a datagram that came beside RTCP."""
        self._control.receive(beside)

    def statistics(self) -> dict[str, float]:
        """What was dropped on both ports, by name."""
        counts = self._media.statistics()
        for why, count in self._control.statistics().items():
            counts[why] = counts.get(why, 0) + count
        return counts

    def _tell_sources(self) -> None:
        sources = self._media.sources | self._candidates
        if sources != self._sources:
            self._sources = sources
            self._expect(sources)

    def forget(self) -> None:
        """Give up both: keys come by another way now."""
        self._media.forget()
        self._control.forget()

    def close(self) -> None:
        """Stop the timers."""
        self._media.close()
        self._control.close()
