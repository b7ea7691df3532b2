"""One stream of the Python engine: two sockets, the way in, the way out, and their reports."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping

import numpy as np

from opensip.audio.codecs import G711
from opensip.audio.frame import Samples, Steady
from opensip.audio.resample import resample
from opensip.errors import MediaError
from opensip.media.engine import (
    BATCH_TICKS,
    DEAF_TICKS,
    STEADY_TICKS,
    TICK,
    Address,
    Batch,
    Beside,
    StreamConfig,
)
from opensip.media.inbox import Inbox, ReportInbox
from opensip.media.line import Line, Played
from opensip.media.outsiders import Outsiders
from opensip.media.ports import PortPair
from opensip.media.receiver import EVENT, Receiver
from opensip.media.reports import Reports
from opensip.media.sender import Sender
from opensip.media.waiters import Waiters


class PythonStream:
    """A stream of the Python engine; see `engine.Stream` for what its verbs mean."""

    def __init__(
        self,
        ports: PortPair,
        config: StreamConfig,
        clock: Callable[[], float],
        *,
        random: Callable[[int], bytes],
        closed: Callable[["PythonStream"], None],
    ) -> None:
        self.listener: Callable[[Batch], None] = lambda batch: None
        self.keep_said = self.prompt = False
        self.steady = Steady.NOTHING
        self._ports = ports
        self._outsiders = Outsiders(ports.rtp)
        self._clock = clock
        self._closed: Callable[[PythonStream], None] | None = closed
        self._sender = Sender(random)
        self.receiver = Receiver()
        epoch = time.time() - clock()
        self._reports = Reports(self._sender, self.receiver, random, epoch=epoch)
        self._waiters = Waiters()
        self._sender.playout.on_empty = self._waiters.wake
        self._said: list[Samples] = []
        self._said_at = 0.0
        self._ticks = 0  # since the last batch
        self._unsent = 0
        self._played = Played()
        self._attached = False
        self._inboxes: list[Inbox | ReportInbox] = []
        self.configure(config)

    async def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to receive; what comes until then waits in the sockets."""
        rtp = Inbox(self.receiver, self._clock)
        self._inboxes = [
            rtp,
            ReportInbox(self._reports, self._clock, loop=loop, sock=self._ports.rtcp),
        ]
        try:
            await loop.create_datagram_endpoint(lambda: rtp, sock=self._ports.rtp)
        finally:
            self._attached = True
            if self._closed is None:  # meanwhile
                self._release()

    @property
    def deaf(self) -> bool:
        """Whether nothing is handed on of what is heard."""
        return self.receiver.deaf

    @deaf.setter
    def deaf(self, wanted: bool) -> None:
        self.receiver.deaf = wanted

    @property
    def rate(self) -> int:
        """Sample rate in Hz of what is written: that of the codec."""
        return self._sender.playout.codec.rate

    @property
    def control(self) -> Callable[[Beside], None]:
        """Who takes DTLS that comes to the port of RTCP."""
        return self._reports.beside

    @control.setter
    def control(self, take: Callable[[Beside], None]) -> None:
        self._reports.beside = take

    @property
    def last_received(self) -> float | None:
        """When the last good RTP packet came, on the loop's clock."""
        return self.receiver.last_received

    @property
    def last_report(self) -> float | None:
        """When the last good report came, on the engine's clock."""
        return self._reports.last_received

    def configure(self, config: StreamConfig) -> None:
        """Take what was negotiated; an SRTP context lives on while its key is the same."""
        self._config = config
        self._outsiders.let_all_in()
        rate = self.rate
        self._sender.configure(config)
        if self._said and rate != self.rate:
            self._said = [resample(np.concatenate(self._said), rate, self.rate)]
        self.receiver.configure(config)
        self._reports.configure(config, now=self._clock())

    # ---- what is said

    def write(self, samples: Samples) -> int:
        """Queue samples to send; returns the position at which they start."""
        return self._sender.playout.write(samples)

    def flush(self) -> int:
        """Forget what is queued, at once; returns how many samples were never sent."""
        return self._sender.playout.flush()

    def pause(self) -> None:
        """Send silence from the next packet on, and keep what is queued."""
        self._sender.playout.paused = True

    def resume(self) -> None:
        """Send on from where `pause` stopped."""
        self._sender.playout.paused = False

    def played(self) -> int:
        """How many of the written samples have been sent."""
        return self._sender.playout.played

    def queued(self) -> int:
        """How many of the written samples have not been sent yet."""
        return self._sender.playout.queued

    async def drained(self) -> None:
        """Wait until all that was written is sent or flushed."""
        while self.queued() and self._closed is not None:
            await self._waiters.change()

    async def send_digit(self, digit: str) -> None:
        """Send one telephone event and wait until it has left."""
        if self._config.event_payload_type is None or self._closed is None:
            raise MediaError("the peer takes no telephone events: it did not negotiate them")
        left = asyncio.Event()
        self._sender.send_digit(digit, left.set)
        await left.wait()

    # ---- what the engine calls

    def join(self, to: Line | None, origin: Line | None) -> None:
        """Fill the line `to` another stream, and send what comes out of the one `origin`."""
        if self.receiver.line is not None:
            self._played.end(self.receiver.line.figures[0])
        self.receiver.line, self._sender.line = to, origin

    @property
    def is_plain(self) -> bool:
        """Whether all that may come and go is G.711, which can be joined packet by packet."""
        names = (self._config.codec, *(name for _, name in self._config.receive))
        return all(name in G711 or name == EVENT for name in names)

    def tick(self, now: float, *, turn: int) -> Batch | None:
        """Do what each tick does; gives a batch when it is due or a voice is near.

        `turn` counts the ticks, for all streams alike that hand on at once.
        """
        receiver = self.receiver
        self._ticks += 1
        self._keep_outsiders_out(now)
        self._send_rtp(now)
        if now >= self._reports.due_at:
            self._send_rtcp(self._reports.report(now=now))
        waits = self._patience
        # nobody takes turns with a peer who hears another: a recording has time
        voice = receiver.gate and receiver.line is None and not waits
        due = turn % (waits or BATCH_TICKS) == 0
        if receiver.deaf:  # then for what there is to do, and that somebody looks at the figures
            due = due and (self._ticks >= DEAF_TICKS or receiver.moved_to is not None)
        if due or self.prompt or voice or receiver.digits or receiver.beside.waiting:
            return self._batch(now)
        return None

    @property
    def _patience(self) -> int:
        """Ticks from batch to batch while what will do goes on; 0: it does not, told at once."""
        receiver = self.receiver
        now = Steady.VOICE if receiver.voiced else Steady.SILENCE
        goes_on = self.steady is now and receiver.line is None
        return STEADY_TICKS[now] if goes_on else 0

    def skip(self, ticks: int) -> None:
        """Let ticks pass that came too late to be worth a packet."""
        self._ticks += ticks
        for _ in range(ticks):
            self._sender.skip_tick()

    def send_beside(self, datagram: bytes, to: Address, *, control: bool = False) -> None:
        """Send a datagram of another protocol from the port of RTP, or of RTCP, at once."""
        self._unsent += not self._ports.send(datagram, to, rtcp=control)

    def expect_beside(self, sources: Collection[Address], /) -> None:
        """Learn where what comes beside RTP comes from, if it is the peer's."""
        self.receiver.beside.strangers.known = sources

    def statistics(self) -> Mapping[str, float]:
        """Counts and measures so far, both ways, by name."""
        line = self.receiver.line
        return {
            "sent": self._sender.packets,
            "unsent": self._unsent,
            **self.receiver.statistics(),
            **self._played.statistics(*(line.figures if line is not None else (None,))),
            **self._reports.statistics(),
        }

    def close(self) -> None:
        """Say goodbye and stop at once; the ports go back to their pool."""
        if self._closed is None:
            return
        closed, self._closed = self._closed, None
        closed(self)
        try:
            if self._sender.packets and self._config.rtcp is not None:
                self._send_rtcp(self._reports.goodbye(now=self._clock()))
        finally:  # a stream that failed may fail in this too
            self._sender.forget()
            if self._attached:
                self._release()

    def _release(self) -> None:
        self._outsiders.let_all_in()  # a socket that rests answers nobody, by ICMP neither
        self._ports.close(*(inbox.close for inbox in self._inboxes))

    def _keep_outsiders_out(self, now: float) -> None:
        receiver = self.receiver
        datagrams, receiver.datagrams = receiver.datagrams, 0
        self._outsiders.tick(
            receiver.latch,
            receiver.last_received,
            now=now,
            datagrams=datagrams,
            beside=self._config.beside,
        )

    def _send_rtp(self, now: float) -> None:
        if self._sender.line is not None:
            self._sender.line.tick(now=now)
        latch = self.receiver.latch
        if latch is None or not self._config.sending:
            self._sender.mute_tick()
            return
        packet = self._sender.tick()
        while packet is not None:
            self._unsent += not self._ports.send(packet, latch.remote)
            if self.keep_said:
                self._said_at = self._said_at if self._said else now
                self._said.append(self._sender.said())
            packet = self._sender.next_packet()

    def _send_rtcp(self, packet: bytes) -> None:
        self._unsent += not self._ports.send(
            packet, self._reports.remote, rtcp=not self._config.mux
        )

    def _batch(self, now: float) -> Batch:
        receiver, seconds, self._ticks = self.receiver, self._ticks * TICK, 0
        digits, receiver.digits = tuple(receiver.digits), []
        moved_to, receiver.moved_to = receiver.moved_to, None
        noise, receiver.noise = receiver.noise, None
        said = self._take_said() if self._said else None
        heard, beside = receiver.take_heard(), receiver.beside.take()
        late, receiver.late = tuple(receiver.late), []
        others = self._reports.sort_out(beside, now=now) if beside else ()
        return Batch(
            now,
            seconds,
            heard,
            said,
            self._said_at,
            digits,
            moved_to,
            noise=noise,
            beside=others,
            late=late,
        )

    def _take_said(self) -> Samples:
        samples = np.concatenate(self._said)
        self._said.clear()
        return samples
