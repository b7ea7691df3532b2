"""The RTCP of one stream: what we report of it, and what the peer reports to us."""

import base64
import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, Protocol, TypeVar

from opensip.errors import RemoteProtocolError
from opensip.media.beside import is_dtls
from opensip.media.engine import Address, Beside, SrtpKeys, StreamConfig
from opensip.rtp.rtcp import (
    CNAME,
    Goodbye,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SenderReport,
    SourceDescription,
    is_rtcp,
    ntp_time,
    parse_compound,
    round_trip,
    serialize_compound,
)
from opensip.rtp.srtp import SrtpError, SrtpSession, Suite
from opensip.rtp.statistics import SourceStatistics

INTERVAL = 5.0  # seconds: the least that RFC 3550 section 6.2 wants between two reports
_WORD = 0xFFFFFFFF
_ANSWERED = 4  # sender reports of ours that a peer may still answer to: one comes each five seconds


class Srtcp(Protocol):
    """What protects reports, one way, under one master key."""

    @property
    def suite(self) -> Suite:
        """Its crypto suite."""

    @property
    def key(self) -> bytes:
        """Its master key and salt."""

    def protect_rtcp(self, packet: bytes) -> bytes:
        """Encrypt and authenticate a compound packet we send."""

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        """Check and decrypt one we received. Raises SrtpError."""


_Context = TypeVar("_Context", bound=Srtcp)


class Sending(Protocol):
    """What reports say of our own stream."""

    @property
    def ssrc(self) -> int:
        """Our source."""

    @property
    def packets(self) -> int:
        """Packets sent so far."""

    @property
    def octets(self) -> int:
        """Their payload."""

    @property
    def timestamp(self) -> int:
        """The timestamp of now."""

    @property
    def srtp(self) -> Srtcp | None:
        """What our reports are protected with."""


class Receiving(Protocol):
    """What reports say of the peer's stream."""

    @property
    def ssrc(self) -> int:
        """The peer's source."""

    @property
    def clock_rate(self) -> int:
        """Clock rate of its timestamps, in Hz."""

    @property
    def source(self) -> SourceStatistics:
        """What was received of it."""

    @property
    def remote(self) -> Address | None:
        """Where the peer's RTP comes from; None while nobody is there."""

    @property
    def srtp(self) -> Srtcp | None:
        """What its reports are protected with."""

    def drop(self, why: str) -> None:
        """Count a packet that is dropped."""


class Reports:
    """Makes and reads compound packets. Does no I/O.

    `random` gives that many bytes; `epoch` is the Unix time at which the clock of `now`
    stood at 0; `srtcp` makes the context of a suite and a key, where RTCP has keys of its own.
    """

    def __init__(
        self,
        sender: Sending,
        receiver: Receiving,
        random: Callable[[int], bytes],
        *,
        epoch: float,
        srtcp: Callable[[str, bytes], Srtcp] = SrtpSession,
    ) -> None:
        self.due_at = math.inf
        self.last_received: float | None = None
        self.beside: Callable[[Beside], None] = lambda beside: None  # takes DTLS on RTCP's own port
        self._sender = sender
        self._receiver = receiver
        self._random = random
        self._epoch = epoch
        self._config = StreamConfig()
        self._srtcp = srtcp
        self._transmit: Srtcp | None = None  # by the keys of RTCP's own port
        self._receive: Srtcp | None = None
        self._cname = base64.b64encode(random(12))  # RFC 7022: says nothing of this machine
        self._sent_before = 0
        self._reported: deque[int] = deque(maxlen=_ANSWERED)  # as the peer names them
        self._sent = self._received = 0
        self._peer: ReportBlock | None = None
        self._round_trip = 0.0

    def configure(self, config: StreamConfig, *, now: float) -> None:
        """Take what was negotiated."""
        self._config = config
        self._transmit = context(self._transmit, config.control, "transmit", self._srtcp)
        self._receive = context(self._receive, config.control, "receive", self._srtcp)
        if config.rtcp is None:
            self.due_at = math.inf
        elif self.due_at == math.inf:
            self.due_at = now + self._interval() / 2  # section 6.2: sooner for the first

    @property
    def remote(self) -> Address:
        """Where reports go: where the peer said, or beside its RTP where that moved."""
        remote, config = self._receiver.remote, self._config
        if config.mux and remote is not None:
            return remote
        if config.rtcp is None or (remote is not None and remote != config.remote):
            host, port = remote or ("", 0)
            return host, port + 1
        return config.rtcp

    def report(self, *, now: float) -> bytes:
        """Make the report that is due, as it goes out."""
        self.due_at = now + self._interval()
        return self._compound(now)

    def goodbye(self, *, now: float) -> bytes:
        """Make the last report."""
        return self._compound(now, Goodbye((self._sender.ssrc,)))

    def receive(self, datagram: bytes, source: Address, *, now: float) -> None:
        """Take one datagram from the RTCP socket; a bad one is only counted."""
        receiver, config = self._receiver, self._config
        if config.beside and not config.mux and is_dtls(datagram):
            return self.beside(Beside(datagram, source))
        srtp = self._receive or receiver.srtp
        try:
            if srtp is not None:
                datagram = srtp.unprotect_rtcp(datagram)
            elif receiver.remote is None or source[0] != receiver.remote[0]:
                return receiver.drop("rtcp_source")
            packets = parse_compound(datagram)
        except SrtpError as error:
            return receiver.drop(f"rtcp_{error.why}")
        except RemoteProtocolError:
            return receiver.drop("rtcp_malformed")
        self._received += 1
        self.last_received = now
        for packet in packets:
            self._read(packet, now)
        return None

    def sort_out(self, beside: Iterable[Beside], *, now: float) -> tuple[Beside, ...]:
        """Take the reports out of what came to the port of RTP; gives the rest."""
        others = []
        for datagram in beside:
            if is_rtcp(datagram.data):
                self.receive(*datagram, now=now)
            else:
                others.append(datagram)
        return tuple(others)

    def statistics(self) -> Mapping[str, float]:
        """Counts and what the peer reported of our stream, by name."""
        counts: dict[str, float] = {"rtcp_sent": self._sent, "rtcp_received": self._received}
        if self._peer is not None:
            counts["peer_lost"] = self._peer.lost
            counts["peer_loss"] = round(self._peer.fraction_lost / 256, 4)  # of the last report
            counts["peer_jitter_ms"] = round(
                1000 * self._peer.jitter / self._receiver.clock_rate, 2
            )
            counts["round_trip_ms"] = round(1000 * self._round_trip, 1)
        return counts

    def _interval(self) -> float:
        """Between a half and one and a half intervals, so that reports do not march in step."""
        return INTERVAL * (0.5 + int.from_bytes(self._random(2), "big") / 0x10000)

    def _ntp(self, now: float) -> int:
        return ntp_time(now + self._epoch)

    def _compound(self, now: float, *more: RtcpPacket) -> bytes:
        sender, receiver = self._sender, self._receiver
        blocks: tuple[ReportBlock, ...] = ()
        if receiver.source.received:
            blocks = (receiver.source.report_block(receiver.ssrc, now=now),)
        report: RtcpPacket = ReceiverReport(sender.ssrc, blocks)
        if sender.packets != self._sent_before:
            packets, octets = sender.packets & _WORD, sender.octets & _WORD
            ntp = self._ntp(now)
            report = SenderReport(sender.ssrc, ntp, sender.timestamp, packets, octets, blocks)
            self._reported.append(ntp >> 16 & _WORD)
        self._sent_before = sender.packets
        self._sent += 1
        description = SourceDescription(sender.ssrc, ((CNAME, self._cname),))
        compound = serialize_compound(report, description, *more)
        srtp = self._transmit or sender.srtp
        return compound if srtp is None else srtp.protect_rtcp(compound)

    def _read(self, packet: RtcpPacket, now: float) -> None:
        match packet:
            case SenderReport(ssrc=ssrc, ntp=ntp, reports=blocks):
                if ssrc == self._receiver.ssrc:
                    self._receiver.source.sender_reported(ntp, now=now)
            case ReceiverReport(reports=blocks):
                pass
            case _:
                return
        for block in blocks:
            if block.ssrc == self._sender.ssrc:
                self._peer = block
                if block.last_sr in self._reported:  # else it answers nothing of ours, or lies
                    self._round_trip = round_trip(block, self._ntp(now)) or self._round_trip


def context(
    old: _Context | None,
    keys: SrtpKeys | None,
    way: Literal["transmit", "receive"],
    make: Callable[[str, bytes], _Context],
) -> _Context | None:
    """Give the SRTCP context of one way; it lives on while its key is the same."""
    if keys is None:
        return None
    key: bytes = getattr(keys, way)
    if old is not None and (old.suite.name, old.key) == (keys.suite, key):
        return old
    return make(keys.suite, key)
