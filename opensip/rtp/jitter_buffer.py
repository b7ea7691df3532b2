"""The playout buffer: what is played on each tick of 20 ms, whatever the network did.

This is the specification that every engine follows, decision by decision. Its rules:

1. Packets are cut into blocks of 5 ms, kept by timestamp; a tick takes four of them. Where blocks
   wait, but none is whole blocks away, the timestamps have jumped: the first is played next.
2. The depth is how long a packet may wait: playing begins at the first tick at which the first
   packet has waited for the depth less a tick.
3. A frame that is not there when its tick comes is concealed, and time goes on: a loss never
   stalls. If it comes while it is still concealed, it is played after all, and time has stood
   still, as long as that makes no delay beyond MAX_DEPTH. Where the sequence shows that nothing
   was sent (DTX), silence is played instead. A frame of which the newest packet holds but the
   beginning is waited for once: packets need not be of whole ticks.
4. After MAX_CONCEALED frames with nothing at all in the buffer, playing waits to begin again.
5. The depth follows the lateness of the last WINDOW packets: the worst but one, a quarter more,
   MARGIN, and a frame, within MIN_DEPTH and MAX_DEPTH. While playing runs ahead of the depth, a
   frame is concealed without time going on; while it lags by more than a frame, one is dropped:
   each at most once in ADAPT_EVERY ticks, and after a packet that came too late.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

TICK = 0.020  # seconds
MARGIN = 0.002  # by which a packet may be later than those before it, and is still in time
SLACK = 0.001  # of the margin that may be missing before a frame is put in for it
MIN_DEPTH = 0.022  # on a line without jitter: a frame, and the margin
MAX_DEPTH = 0.120
WINDOW = 128  # packets whose lateness is remembered, 2.6 s
FEWEST = 4  # packets to measure lateness by
MEASURE_EVERY = 8  # packets, and whenever one is late
MAX_CONCEALED = 5  # frames; beyond 100 ms a repeated sound is a buzz
ADAPT_EVERY = 10  # ticks between two changes of the delay, so that they are not heard
MAX_HELD = 1.0  # seconds ahead of playing; what is further is another stream
MAX_BLOCKS = 512  # that are kept: more than two seconds
RESTART_AFTER = 2  # packets in a row that are that far off


@dataclass(frozen=True, slots=True)
class Play:
    """Play this payload."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Conceal:
    """A frame is missing: play on as the codec can."""


@dataclass(frozen=True, slots=True)
class Wait:
    """There is nothing to play: silence."""


CONCEAL, WAIT = Conceal(), Wait()


@dataclass(slots=True)
class Counts:
    """What became of the packets (received, late, duplicate, dropped) and the ticks."""

    received: int = 0
    late: int = 0
    duplicate: int = 0
    dropped: int = 0
    played: int = 0
    concealed: int = 0


class JitterBuffer:
    """Gives one decision a tick for one source. Make another one when the SSRC changes.

    `clock_rate` is in Hz. With `bytes_per_unit` (1 for G.711) payloads may be of any multiple
    of 5 ms; without, each packet is taken to be one frame of 20 ms.
    """

    def __init__(self, clock_rate: int = 8000, *, bytes_per_unit: int | None = 1) -> None:
        self.counts = Counts()
        self.depth = MIN_DEPTH
        self._clock_rate = clock_rate
        self._frame = clock_rate // 50
        self._block = self._frame if bytes_per_unit is None else self._frame // 4
        self._block_bytes = self._block * bytes_per_unit if bytes_per_unit else 0
        self._blocks: dict[int, tuple[bytes, int]] = {}  # timestamp -> payload, sequence
        self._cursor: int | None = None  # the extended timestamp to play next; None: waiting
        self._newest = 0  # the newest extended timestamp, to unwrap the next
        self._begin_at: float | None = None
        self._transits: deque[float] = deque(maxlen=WINDOW)  # seconds
        self._played_sequence = -1
        self._empty_ticks = 0
        self._adapted = 0  # ticks since the delay changed
        self._run: int | None = None  # where what is concealed now began
        self._far = 0

    def forget(self) -> None:
        """Wait to begin again, with another source: only depth and counts are kept."""
        self._wait_again()
        self._played_sequence = -1

    def recode(self, convert: Callable[[bytes], bytes]) -> None:
        """Convert the payloads that wait, as many bytes each: another codec follows."""
        for timestamp, (payload, sequence) in self._blocks.items():
            self._blocks[timestamp] = convert(payload), sequence

    def put(self, sequence: int, timestamp: int, payload: bytes, *, now: float) -> None:
        """Take a packet that came at `now`."""
        self.counts.received += 1
        extended = self._unwrap(timestamp)
        if self._is_far(extended):
            return
        behind = self._cursor is not None and extended < self._cursor
        late = behind and not self._turns_back(extended, now)
        if late:
            self.counts.late += 1
            self._adapted = ADAPT_EVERY  # the next may be as late: it is not waited with
        elif extended in self._blocks:
            self.counts.duplicate += 1
            return
        elif len(self._blocks) >= MAX_BLOCKS:
            self.counts.dropped += 1
            return
        else:
            self._store(extended, sequence, payload)
            if self._begin_at is None and self._blocks:
                self._begin_at = now + self.depth - TICK
                self._transits.clear()  # after a pause the sender's clock may stand elsewhere
        self._newest = max(self._newest, extended)
        self._transits.append(now - extended / self._clock_rate)
        if len(self._transits) >= FEWEST and (behind or self.counts.received % MEASURE_EVERY == 0):
            self._measure()

    def tick(self, *, now: float) -> Play | Conceal | Wait:
        """Decide what is played in the 20 ms that begin at `now`."""
        if self._cursor is None:
            # a microsecond's grace, for ticks are sums of floats
            if self._begin_at is None or now < self._begin_at - 1e-6:
                return WAIT
            self._cursor, self._empty_ticks = min(self._blocks), 0
        self._adapted += 1
        if self._adapted >= ADAPT_EVERY and self._adapt(now):
            return self._conceal()
        return self._next_frame()

    def _next_frame(self) -> Play | Conceal | Wait:
        assert self._cursor is not None  # noqa: S101 - for the type checker: tick has set it
        start = self._cursor = self._follow(self._cursor)
        if self._is_begun(start):
            self._run = start
            return self._conceal()
        self._cursor = start + self._frame
        blocks = [self._blocks.pop(t, None) for t in range(start, self._cursor, self._block)]
        found = [block for block in blocks if block]
        if len(found) == len(blocks):
            self._empty_ticks, self._run = 0, None
            self._played_sequence = found[-1][1]
            self.counts.played += 1
            return Play(b"".join(payload for payload, _ in found))
        if found:
            self._run = None
        elif self._run is None:
            self._run = start
        if self._blocks:
            following = self._blocks[min(self._blocks)][1]
            if not found and following == (self._played_sequence + 1) & 0xFFFF:
                self._run = None
                return WAIT  # nothing was sent here (RFC 3551 section 4.1)
            return self._conceal()
        self._empty_ticks += 1
        if self._empty_ticks <= MAX_CONCEALED:
            return self._conceal()
        self._wait_again()
        return WAIT

    def _follow(self, cursor: int) -> int:
        """Forget what can never be played; gives where to go on."""
        for timestamp in [t for t in self._blocks if t < cursor]:
            del self._blocks[timestamp]
        if self._blocks and all((t - cursor) % self._block for t in self._blocks):
            return min(self._blocks)
        return cursor

    def _is_begun(self, start: int) -> bool:
        """Tell whether there is but the beginning of a frame, and it was not waited for yet."""
        if start not in self._blocks or self._run == start:
            return False
        end = start + self._frame
        return max(self._blocks) < end and any(
            t not in self._blocks for t in range(start, end, self._block)
        )

    def _conceal(self) -> Conceal:
        self.counts.concealed += 1
        return CONCEAL

    def _wait_again(self) -> None:
        self._cursor = self._begin_at = self._run = None
        self._blocks.clear()

    def _store(self, start: int, sequence: int, payload: bytes) -> None:
        size = self._block_bytes or len(payload)
        for offset in range(0, len(payload), size or 1):
            piece = payload[offset : offset + size]
            if len(piece) == size:  # less than 5 ms at the end cannot be played
                self._blocks[start] = (piece, sequence)
            start += self._block

    def _unwrap(self, timestamp: int) -> int:
        if not self.counts.received - 1:
            self._newest = timestamp
        step = (timestamp - self._newest) & 0xFFFFFFFF
        return self._newest + (step - 0x100000000 if step >= 0x80000000 else step)

    def _is_far(self, extended: int) -> bool:
        """Tell whether to leave out a packet that cannot belong here; start again at the second."""
        reference = self._newest if self._cursor is None else self._cursor
        if abs(extended - reference) <= MAX_HELD * self._clock_rate:
            self._far = 0
            return False
        if self._cursor is None and not self._blocks:  # after a pause any distance is right
            self._newest = extended
            return False
        self._far += 1
        if self._far < RESTART_AFTER:
            self.counts.dropped += 1
            return True
        self._far = 0
        self._wait_again()
        self._newest = extended
        return False

    def _turns_back(self, extended: int, now: float) -> bool:
        """Go back to a frame that comes while its stand-in is heard: time stood still meanwhile."""
        if self._run is None or extended < self._run:
            return False
        if now - extended / self._clock_rate - min(self._transits) > MAX_DEPTH - TICK:
            return False
        self._cursor, self._adapted = extended, 0
        return True

    def _measure(self) -> None:
        """Set the depth by the lateness of the last packets."""
        ordered = sorted(self._transits)
        worst = ordered[-2] - ordered[0]
        self.depth = min(max(worst + worst / 4 + MARGIN + TICK, MIN_DEPTH), MAX_DEPTH)

    def _adapt(self, now: float) -> bool:
        """Bring the delay nearer to the depth; True means: conceal, time stands still."""
        assert self._cursor is not None  # noqa: S101 - for the type checker: tick has set it
        if len(self._transits) < FEWEST:
            return False
        delay = now - self._cursor / self._clock_rate - min(self._transits)
        if delay < self.depth - TICK - SLACK:
            self._adapted = 0
            return True
        if delay > self.depth + TICK and len(self._blocks) * self._block > self._frame:
            self._adapted = 0
            self.counts.dropped += 1
            for timestamp in range(self._cursor, self._cursor + self._frame, self._block):
                self._blocks.pop(timestamp, None)
            self._cursor += self._frame
            self._run = None
        return False
