"""One stream of the native engine: packets are the engine's, RTCP and meaning are Python's."""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np

from opensip.audio.comfort_noise import read_level
from opensip.audio.frame import AudioFrame, Samples, Steady
from opensip.audio.resample import resample
from opensip.errors import MediaError, RemoteProtocolError
from opensip.media import _engine
from opensip.media.engine import HALF_TICK_MS, Address, Batch, Beside, Digit, StreamConfig
from opensip.media.inbox import ReportInbox
from opensip.media.line import Played
from opensip.media.native_ends import RATE, NativeReceiver, NativeSender
from opensip.media.native_formats import (
    COMFORT_NOISE,
    encoding,
    formats_of,
    is_plain,
    kilohertz,
    table,
)
from opensip.media.native_srtcp import NativeSrtcp
from opensip.media.opaque import OpaqueReceiver, Sound
from opensip.media.outbox import PCM, Outbox
from opensip.media.ports import PortPair, closing_on_error
from opensip.media.reports import Reports
from opensip.media.sender import half_ticks
from opensip.media.waiters import Waiters
from opensip.media.wish import Wish
from opensip.rtp.jitter_buffer import Counts
from opensip.rtp.packet import RtpPacket
from opensip.rtp.telephone_event import TelephoneEventSender

# What Engine.gather tells of a stream for which there is more to do than to hand on its sound:
# payloads to decode, digits, what was said, a source that moved, somebody who waits, a report that
# is due. Stream, at, seconds, heard, heard_at, level in dBFS, whether a batch is due though nothing
# is decoded, and (said, said_at, events, moved_to, beside, late, sounds) or None. An event is the
# first six fields of its RtpPacket, what came beside RTP is its data and source; for a sound see
# opaque.py.
Row: TypeAlias = tuple[Any, ...]
NOTHING = (None, 0.0, None, None, None, None, None)
GAP = [(b"", False)] * 3  # packets between two digits, so that they stay two


class NativeStream:
    """A stream of the native engine; see `engine.Stream` for what its verbs mean."""

    keep_said = Wish(_engine.Stream.keep_said, False)
    prompt = Wish(_engine.Stream.prompt, False)
    steady = Wish(_engine.Stream.steady, Steady.NOTHING)
    deaf = Wish(_engine.Stream.deafen, False)

    def __init__(
        self,
        ports: PortPair,
        config: StreamConfig,
        clock: Callable[[], float],
        *,
        loop: asyncio.AbstractEventLoop,
        core: _engine.Engine,
        random: Callable[[int], bytes],
        closed: Callable[["NativeStream"], None],
    ) -> None:
        self.listener: Callable[[Batch], None] = lambda batch: None
        self._ports = ports
        self._clock = clock
        self._closed: Callable[[NativeStream], None] | None = closed
        self.core = core.open(ports.rtp.fileno(), self)
        self.expect_beside = self.core.expect_beside
        self._sender, self.receiver = NativeSender(self.core, random), NativeReceiver(self.core)
        epoch = time.time() - clock()
        self._outbox = Outbox(self.core, clock)
        self._opaque = OpaqueReceiver(self.receiver.drop)
        self._reports = Reports(self._sender, self.receiver, random, epoch=epoch, srtcp=NativeSrtcp)
        with closing_on_error(self.core):  # its thread must not read sockets that are given back
            self._inbox = ReportInbox(self._reports, clock, loop=loop, sock=ports.rtcp)
        self._waiters = Waiters()
        self._digit = asyncio.Lock()
        self._unsent = 0
        self._played = Played()
        self._said_before: tuple[Samples, float] | None = None  # at another rate
        self._config: StreamConfig | None = None
        self.write = self._outbox.write  # the engine's own where it can be: fifty a second
        self.configure(config)

    @property
    def rate(self) -> int:
        """Sample rate in Hz of what is written: that of the codec."""
        return self._outbox.rate

    @property
    def control(self) -> Callable[[Beside], None]:
        """Who takes DTLS that comes to the port of RTCP."""
        return self._reports.beside

    @control.setter
    def control(self, take: Callable[[Beside], None]) -> None:
        self._reports.beside = take

    @property
    def last_received(self) -> float | None:
        """When the last good RTP packet came, on the engine's clock."""
        return self.core.last_received()

    @property
    def last_report(self) -> float | None:
        """When the last good report came, on the engine's clock."""
        return self._reports.last_received

    def configure(self, config: StreamConfig) -> None:
        """Take what was negotiated; an SRTP context lives on while its key is the same."""
        old, self._config = self._config, config
        receive, transmit = _keys(config)
        old_receive, old_transmit = _keys(old) if old is not None else ((), ())
        host, port = config.remote or (None, 0)
        formats, rate = formats_of(config, old), self.rate
        coding, queue = self._outbox.change(config)
        self.write = self._outbox.write
        if transmit != old_transmit:
            self._sender.begin_anew()
        said = self.core.configure(
            host=host,
            port=port,
            new_latch=old is None or _trust(config) != _trust(old),
            symmetric=config.symmetric,
            sending=config.sending,
            coding=coding,
            payload_type=config.payload_type,
            event_payload_type=config.event_payload_type or 0,
            half_ticks=half_ticks(config),
            encodings=table(formats, encoding),
            kilohertz=table(formats, kilohertz),
            beside=config.beside,
            mux=config.mux,
            receive=None if receive == old_receive else receive,
            transmit=None if transmit == old_transmit else transmit,
            queue=queue,
            new_said=self.keep_said and rate != self.rate,
        )
        left, left_at = self._left(*(said or (None, 0.0)))
        if left is not None:  # by the rate of before
            self._said_before = resample(left, rate, self.rate), left_at
        self._outbox.send_on()
        self._opaque.configure(formats)
        self._sender.configure(config)
        self.receiver.configure(config)
        self._reports.configure(config, now=self._clock())
        self.core.report_at(self._reports.due_at)

    # ---- what is said

    def flush(self) -> int:
        """Forget what is queued, at once; returns how many samples were never sent."""
        forgotten = self._outbox.flush()
        self._waiters.wake()
        return forgotten

    def pause(self) -> None:
        """Send silence from the next packet on, and keep what is queued."""
        self.core.pause(True)

    def resume(self) -> None:
        """Send on from where `pause` stopped."""
        self.core.pause(False)

    def played(self) -> int:
        """How many of the written samples have been sent."""
        return self.core.played()

    def queued(self) -> int:
        """How many of the written samples have not been sent yet."""
        return self._outbox.queued()

    async def drained(self) -> None:
        """Wait until all that was written is sent or flushed."""
        while self.queued() and self._closed is not None:
            self._outbox.tell_end()
            await self._waiters.change()

    async def send_digit(self, digit: str) -> None:
        """Send one telephone event and wait until it has left."""
        if self._config is None or self._config.event_payload_type is None or self._closed is None:
            raise MediaError("the peer takes no telephone events: it did not negotiate them")
        clock, ptime = self._config.event_clock, HALF_TICK_MS * half_ticks(self._config)
        event = TelephoneEventSender(digit, clock_rate=clock, ptime=ptime)
        async with self._digit:
            over = self.core.send_digit([*event.packets(), *GAP])
            while self.core.digits_over() == over and self._closed is not None:
                await self._waiters.change()

    def send_beside(self, datagram: bytes, to: Address, *, control: bool = False) -> None:
        """Send a datagram of another protocol from the port of RTP, or of RTCP, at once."""
        self._unsent += not self._ports.send(datagram, to, rtcp=control)

    def statistics(self) -> Mapping[str, float]:
        """Counts and measures so far, both ways, by name."""
        counts = self.core.counts()
        counts["unsent"] += self._unsent
        played = self._played.statistics(*self._playout())
        return {**counts, **self.receiver.statistics(), **played, **self._reports.statistics()}

    def close(self) -> None:
        """Say goodbye and stop at once; the ports go back to their pool."""
        if self._closed is None:
            return
        closed, self._closed = self._closed, None
        closed(self)
        try:
            if self._sender.packets and self._config is not None and self._config.rtcp is not None:
                self._send_rtcp(self._reports.goodbye(now=self._clock()))
        finally:  # a stream that failed may fail in this too
            self.core.close()
            self._waiters.wake()
            self._inbox.close()
            self._ports.close()

    # ---- what the engine calls

    def keep_played(self) -> None:
        """Keep the counts of a connection that is about to end."""
        counts, _ = self._playout()
        if counts is not None:
            self._played.end(counts)

    @property
    def is_plain(self) -> bool:
        """Whether all that may come and go is G.711, which can be joined packet by packet."""
        return self._config is not None and is_plain(self._config)

    def batch(self, row: Row) -> Batch | None:
        """Make a batch of what the engine gathered, and do what else there is to do.

        None where sound was decoded that can wait: no voice is near, and nothing else is due.
        """
        _, at, seconds, heard, heard_at, level_dbfs, due, rest = row
        said, said_at, events, moved_to, others, lates, sounds = rest or NOTHING
        plain = AudioFrame(heard_at, np.frombuffer(heard or b"", PCM), RATE, level_dbfs)
        frame = self._listen(plain, sounds, due=due)
        if frame is None and not due:
            return None
        self._waiters.wake()
        self._outbox.send_on()
        if at >= self._reports.due_at:
            self._send_rtcp(self._reports.report(now=at))
            self.core.report_at(self._reports.due_at)
        late = tuple((then, np.frombuffer(samples, PCM)) for then, samples in lates or ())
        left, said_at = self._left(said, said_at)
        digits, noise = self._events_of(events or ())
        beside = self._reports.sort_out(itertools.starmap(Beside, others or ()), now=at)
        return Batch(
            *(at, seconds, frame, left, said_at, digits, moved_to),
            noise=noise,
            beside=beside,
            late=late,
        )

    def _events_of(
        self, events: Iterable[tuple[int, int, int, int, bytes, bool]]
    ) -> tuple[tuple[Digit, ...], float | None]:
        """Read what no sample tells: the digits, and the level of comfort noise."""
        digits, noise = [], None
        event_clock = (self._config or StreamConfig()).event_clock
        for fields in events:
            packet = RtpPacket(*fields)
            if packet.payload_type == COMFORT_NOISE:
                noise = read_level(packet.payload)
                continue
            try:
                digit = self.receiver.events.receive(packet)
            except RemoteProtocolError:
                self.receiver.drop("malformed_event")
                continue
            if digit is not None:
                digits.append(Digit(digit, 1000 * self.receiver.events.duration // event_clock))
        return tuple(digits), noise

    def _listen(
        self, plain: AudioFrame, sounds: list[Sound] | None, *, due: bool
    ) -> AudioFrame | None:
        """Give what was heard: of G.711 as it is, else once it is due or may be a voice."""
        opaque = self._opaque
        if sounds is None and not opaque.heard:
            return plain if len(plain.samples) else None
        voice = opaque.take(sounds or (), plain.samples, plain.at)
        if voice:
            self.core.come_near()
        return opaque.heard.take() if voice or due else None

    def _left(self, said: bytes | None, at: float) -> tuple[Samples | None, float]:
        """Give what was said since the last batch, and when; by another codec too."""
        samples = None if said is None else np.frombuffer(said, PCM)
        if self._said_before is None:
            return samples, at
        (before, at), self._said_before = self._said_before, None
        return before if samples is None else np.concatenate([before, samples]), at

    def _playout(self) -> tuple[Counts | None, float]:
        figures = self.core.playout()
        return (Counts(*figures[:6]), figures[6]) if figures else (None, 0.0)

    def _send_rtcp(self, packet: bytes) -> None:
        mux = self._config is not None and self._config.mux
        self._unsent += not self._ports.send(packet, self._reports.remote, rtcp=not mux)


def _keys(
    config: StreamConfig,
) -> tuple[tuple[()] | tuple[str, bytes], tuple[()] | tuple[str, bytes]]:
    """Give the keys of receiving and of sending; () is plain RTP."""
    keys = config.keys
    return ((keys.suite, keys.receive), (keys.suite, keys.transmit)) if keys else ((), ())


def _trust(config: StreamConfig) -> tuple[object, ...]:
    """Tell what a settled source depends on."""
    return config.remote, config.keys is None
