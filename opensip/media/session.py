"""One RTP session of a call: what offer and answer settle, and the stream that follows it."""

import asyncio
import os
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

from opensip.audio.codecs import widest
from opensip.audio.frame import AudioSink, AudioSource
from opensip.audio.tones import dtmf_pulses
from opensip.errors import LocalProtocolError, NegotiationError
from opensip.events import (
    Dtmf,
    Fault,
    Held,
    MediaSourceChanged,
    MediaStatistics,
    MediaTimedOut,
    Observer,
    Silent,
)
from opensip.media import agreement
from opensip.media.digit_inbox import INFO
from opensip.media.engine import Address, Batch, Engine, StreamConfig
from opensip.media.hearing import Hearing
from opensip.media.media_config import MediaConfig
from opensip.media.over import Over
from opensip.media.ports import PortPool
from opensip.media.quality import QualityMeter
from opensip.media.rates import RateSink
from opensip.media.recorder import Recorder
from opensip.media.recording_pause import Pauses
from opensip.media.silence import SilenceClock, last_sign
from opensip.media.spoken import Spoken
from opensip.sdp.capabilities import UNSPECIFIED
from opensip.sdp.offer_answer import (
    Local,
    Negotiated,
    Offer,
    apply_answer,
    make_answer,
    make_offer,
)

__all__ = ["MediaConfig", "MediaSession"]


class MediaSession:
    """Negotiates and carries the audio of one call, and bears every later offer.

    Ports are bound at once: raises MediaError when there are none, ConfigError where a codec
    cannot be had. `source` is what the peer says, `sink` what it hears, both at `rate` Hz: that
    of the widest codec that may be agreed on, whichever is. Each digit of the peer, whatever its
    way, is noted as `Dtmf` and given to `on_dtmf` once; `on_held` learns when the peer holds us
    and takes us back. `random` gives that many random bytes.
    """

    def __init__(
        self,
        engine: Engine,
        ports: PortPool,
        config: MediaConfig,
        *,
        observer: Observer | None = None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.on_dtmf: Callable[[Dtmf], None] = lambda digit: None
        self.on_held: Callable[[bool], None] = lambda on: None
        self.on_agreed: Callable[[], None] = lambda: None  # after each agreement
        self.direction = "sendrecv"  # what we want, from the next offer or answer on
        self.negotiated: Negotiated | None = None
        self.engine = engine
        self._config = config
        self.observer: Observer = Silent() if observer is None else observer
        self._pauses = Pauses(self.observer)
        self._random = random
        self.spoken = Spoken(config.codecs, may_change=config.change_codec)
        self.rate = widest(config.codecs)
        pair = ports.take(config.address)
        self._address = pair.address
        # beside: a peer's ClientHello is often faster than its answer
        opened = StreamConfig(beside=config.keying != "sdes")
        self.stream = engine.open(pair, opened)
        self.stream.listener = self._hear
        narrow = self.rate == self.stream.rate
        self._sink = Over(self.stream if narrow else RateSink(self.stream, self.rate))
        me = weakref.proxy(self)  # our parts are no reason to keep us: who is free goes at once
        self._hearing = Hearing(
            self.rate, partial(MediaSession._keyed, me), self.stream, tones=config.hear_tones
        )
        self.ways_of = self._hearing.digits.ways_of  # that have told of a press by now
        self._session_id = int.from_bytes(random(6), "big")
        self._version = 0
        self._offer: Offer | None = None
        self._keying = agreement.make_keying(
            config.keying, self.stream, keyed=self._take_keys, failed=self._fail, random=random
        )
        self._remote: Address | None = None
        self._rtcp: Address | None = None
        limits = config.first_timeout, config.silence_timeout
        signs = partial(last_sign, self.stream, is_quiet=self._hearing.is_quiet)
        self._silence = SilenceClock(signs, *limits, now=engine.now)
        self._quality = QualityMeter(self.stream.statistics, now=engine.now())
        self._fault = ""
        self._broken = asyncio.Event()
        self._closed = False

    @property
    def source(self) -> AudioSource:
        """What the peer says; silence while nothing comes. Ends when the session does."""
        return self._hearing.source

    @property
    def sink(self) -> AudioSink:
        """What the peer hears."""
        return self._sink

    @property
    def address(self) -> tuple[str, int]:
        """Where RTP comes in."""
        return self._address

    @property
    def is_held(self) -> bool:
        """Whether the peer does not want to hear us now; what comes then is no speech."""
        return self.negotiated is not None and self.negotiated.held

    # ---- offer and answer

    def answer(self, offer: bytes) -> bytes:
        """Answer an offer, the first or a later one, and follow it at once.

        Raises NegotiationError where nothing fits, RemoteProtocolError on garbage; what was
        agreed before then stays.
        """
        current = self.negotiated
        agreed = self._make_answer(offer, self._same_key)
        if current is not None and agreed.suite != current.suite:
            agreed = self._make_answer(offer, self._random)  # a key belongs to its suite
        if self._keying is not None and self._keying.renew(agreed):
            agreed = self._make_answer(offer, self._same_key)
        self.spoken.learn(agreed, offered=True)
        self._version += 1
        self._follow(agreed)
        return agreed.sdp

    def offer(self) -> bytes:
        """Make an offer, the first or a later one; `accept` takes its answer."""
        current = self.negotiated
        self._offer = make_offer(
            self._local(**agreement.same_way(current)) if current else self._local(),
            session_id=self._session_id,
            version=self._version,
            keys=self._same_key,
            previous=current.sdp if current else b"",
        )
        self._version += 1
        return self._offer.sdp

    def accept(self, answer: bytes) -> None:
        """Take the answer to our last offer. Raises as `answer` does."""
        if self._offer is None:
            raise LocalProtocolError("an answer without an offer of ours")
        agreed = apply_answer(self._offer, answer)
        self._offer = None
        self.spoken.learn(agreed, offered=False)
        self._follow(agreed)

    def _make_answer(self, offer: bytes, keys: Callable[[int], bytes]) -> Negotiated:
        make = partial(make_answer, session_id=self._session_id, version=self._version, keys=keys)
        try:
            return make(self._local(), offer)
        except NegotiationError:
            if self.spoken.formats == self.spoken.all:
                raise
            return make(self._local(formats=self.spoken.all), offer)

    def _local(self, **changes: Any) -> Local:
        host, port = self._address
        return Local(
            address=self._config.public_address or host,
            bound=host,
            port=port,
            srtp=self._config.srtp,
            dtls=self._keying.own if self._keying is not None else None,
            ptime=self._config.ptime,
            direction=self.direction,
            **{"formats": self.spoken.formats, "keying": self._config.keying, **changes},
        )

    def _same_key(self, length: int) -> bytes:
        """Give our key in use, so that the peer's SRTP context lives on, or a new one."""
        current = self.negotiated
        # a key of DTLS stays out of every description
        if current is not None and current.dtls is None and len(current.tx_key) == length:
            return current.tx_key
        return self._random(length)

    def _follow(self, agreed: Negotiated) -> None:
        """Let the stream do what was agreed, and note what changed."""
        if agreed.remote[0] not in UNSPECIFIED:  # the hold of RFC 2543: the peer stays where it was
            self._remote, self._rtcp = agreed.remote, agreed.rtcp
        remote, control = self._remote, None
        if self._keying is not None and agreed.dtls is not None:
            self._keying.agree(agreed, remote)
            agreed, remote = agreement.with_keys(agreed, self._keying.keys), self._keying.remote
            control = self._keying.control_keys
        elif self._keying is not None:
            self._keying.forget()
        old, self.negotiated = self.negotiated, agreed
        self.stream.configure(
            agreement.stream_config(
                agreed,
                remote=remote,
                rtcp=self._rtcp,
                symmetric=self._config.symmetric,
                control=control,
            )
        )
        self._silence.expect(agreed.direction in ("sendrecv", "recvonly") and not agreed.held)
        if agreement.is_news(agreed, old):
            self._hearing.digits.begin()
            self.observer.note(agreement.news(agreed, self._address, at=self.engine.now()))
        if agreed.held != (old is not None and old.held):
            self.observer.note(Held(self.engine.now(), agreed.held))
            self.on_held(agreed.held)
        self.on_agreed()

    # ---- what happens while it runs

    async def send_digits(self, digits: str) -> None:
        """Send digits as telephone events (RFC 4733), one after the other.

        Raises MediaError when the peer takes none.
        """
        for digit in digits:
            await self.stream.send_digit(digit)

    async def send_tones(self, digits: str) -> None:
        """Send digits as sound, behind what is to be heard already, and wait for their end."""
        self.sink.write(dtmf_pulses(digits, self.sink.rate))
        await self.sink.drained()

    @property
    def takes_events(self) -> bool:
        """Whether the peer agreed to telephone events."""
        return self.negotiated is not None and self.negotiated.dtmf_payload_type is not None

    def take_info(self, digit: str, duration_ms: int) -> None:
        """Take a digit that came by signalling."""
        self._hearing.digits.receive(digit, duration_ms, INFO, at=self.engine.now())

    async def wait_timed_out(self) -> MediaTimedOut:
        """Wait until RTP has failed to come for too long; time on hold does not count."""
        timed_out = await self._silence.wait()
        self.observer.note(timed_out)
        return timed_out

    async def wait_broken(self) -> str:
        """Wait until the stream had to be closed for an error of ours, and tell it."""
        await self._broken.wait()
        return self._fault

    def excuse_silence(self, excused: bool) -> None:
        """Let RTP stay away, as a peer's may that asks others to take the call; or not any more."""
        self._silence.excuse(excused)

    def relay_to(self, sink: AudioSink | None, *, aside: bool = False) -> None:
        """Let `sink` play what the peer says, and `source` fall silent; None ends that.

        With `aside` the source is silent without a sink: the engine lets others hear the peer.
        """
        self._hearing.relay_to(sink)
        self._hearing.aside = aside or sink is not None
        self.stream.prompt = sink is not None
        self._listen()

    def record_to(self, recorder: Recorder) -> None:
        """Record from now on: what is heard on the left, what is said on the right."""
        recorder.start(now=self.engine.now(), pauses=self._pauses)
        self._hearing.record_to(recorder)
        self.stream.keep_said = True
        self._listen()

    def record(self, on: bool) -> None:
        """Let the recording pause, or go on; the books keep a pause without a recording too."""
        (self._pauses.end if on else self._pauses.begin)(now=self.engine.now())

    def statistics(self) -> dict[str, float]:
        """Counts and measures so far, both ways, by name; how it sounded, where that is known."""
        dropped = self._keying.statistics() if self._keying is not None else {}
        return {**self._quality.whole(), **dropped}

    async def close(self) -> None:
        """End stream, source and recording. May be called again."""
        if self._closed:
            return
        self._closed = True
        self.observer.note(MediaStatistics(now := self.engine.now(), self.statistics()))
        if self._keying is not None:
            self._keying.close()
        self.stream.close()
        self._hearing.source.end()
        # They lead to who has us.
        self.stream.listener = self.stream.control = self.on_dtmf = self.on_held = _ignore
        await self._hearing.end_recording(now=now)

    def _hear(self, batch: Batch) -> None:
        """Take what happened on the stream since the last batch."""
        if batch.fault:
            self._fail(batch.fault, at=batch.at)
            return
        for beside in batch.beside:
            if self._keying is not None:
                self._keying.receive(beside)
        self._hearing.take(batch, said_rate=self.stream.rate, held=self.is_held)
        if batch.moved_to is not None:
            self.observer.note(MediaSourceChanged(batch.at, agreement.place(batch.moved_to)))
        if batch.at >= self._quality.due_at:
            measured = self._quality.measure(now=batch.at)
            if measured is not None:
                self.observer.note(measured)

    def _keyed(self, dtmf: Dtmf) -> None:
        self.observer.note(dtmf)
        self.on_dtmf(dtmf)

    def _listen(self) -> None:
        """Have handed on what is heard where anybody wants it."""
        hearing = self._hearing
        wanted = hearing.relay or hearing.recorder or self._config.hear_tones
        self.stream.deaf = hearing.aside and not wanted

    def _take_keys(self) -> None:
        """DTLS has come to its keys, or the peer has moved."""
        if self.negotiated is not None and not self._closed:
            self._follow(self.negotiated)

    def _fail(self, why: str, *, at: float | None = None) -> None:
        """The stream failed, or is to have no keys: there is no more to hear."""
        self.observer.note(Fault(self.engine.now() if at is None else at, "media", why))
        self._hearing.source.end()
        self._fault = why
        self._broken.set()


def _ignore(_: object) -> None:
    """Take what comes after the end."""
