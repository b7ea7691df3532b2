"""Order for audio that is only listened to: no playout delay, only gaps are waited for."""

from typing import Generic, TypeVar

Item = TypeVar("Item")

GAP_WAIT = 0.040  # seconds; a packet that comes later was lost for the listener
MAX_DROPOUT = 3000  # packets, RFC 3550 appendix A.1
MAX_MISORDER = 100
MAX_HELD = 64  # packets held at once; more than a second of them is no mere gap
_REMEMBERED = 128  # packets before the newest of which it is known whether they came
_BITS = (1 << _REMEMBERED) - 1


class InOrder(Generic[Item]):
    """Hands items on by sequence number, at once where none is missing.

    Counts `lost` (never came in time), `late`, `duplicate` and `reordered` (came in time, but
    after a later one), over all sources.
    """

    def __init__(self, wait: float = GAP_WAIT) -> None:
        self.lost = self.late = self.duplicate = self.reordered = 0
        self._wait = wait
        self._next: int | None = None  # the sequence number that is due
        self._newest = 0  # the highest that came
        self._came = 0  # bit n: the packet n before the newest came
        self._ready: list[Item] = []
        self._held: dict[int, tuple[float, Item]] = {}  # sequence -> when it came, what came
        self._after_jump: int | None = None

    def put(self, sequence: int, item: Item, *, now: float) -> None:
        """Take what came at `now` under a sequence number of 16 bits."""
        if self._next is None:
            self._next = self._newest = sequence
        ahead = (sequence - self._next) & 0xFFFF
        if ahead == 0:
            self._note_order(sequence)
            self._hand_on(sequence, item)
        elif ahead < MAX_DROPOUT:
            if sequence in self._held:
                self.duplicate += 1
            else:
                self._hold(sequence, item, now)
        elif ahead >= 0x10000 - MAX_MISORDER:
            if self._note(sequence):
                self.late += 1
            else:
                self.duplicate += 1
        elif sequence == self._after_jump:  # the second in a row: the sender began anew
            self._skip_all()
            self._newest, self._came = sequence, 1
            self._hand_on(sequence, item)
        else:
            self._after_jump = (sequence + 1) & 0xFFFF

    def take(self, *, now: float) -> list[Item]:
        """Take what is in order, or has waited long enough for what is missing before it."""
        while self._held:
            first = self._first_held()
            if now - self._held[first][0] < self._wait - 1e-9:  # times are sums of floats
                break
            self._skip_to(first)
        ready, self._ready = self._ready, []
        return ready

    def begin_again(self) -> None:
        """Go on with another source; what is held of the one before is ready first."""
        self._skip_all()
        self._next = None
        self._came = 0

    def _note_order(self, sequence: int) -> None:
        if (sequence - self._newest) & 0x8000:
            self.reordered += 1
        self._note(sequence)

    def _note(self, sequence: int) -> bool:
        """Remember that a packet came; tells whether that is news, as far back as is known."""
        behind = (self._newest - sequence) & 0xFFFF
        if behind >= 0x8000:
            self._came = (self._came << min(0x10000 - behind, _REMEMBERED) | 1) & _BITS
            self._newest = sequence
            return True
        known = self._came >> behind & 1
        if behind < _REMEMBERED:
            self._came |= 1 << behind
        return not known

    def _hold(self, sequence: int, item: Item, now: float) -> None:
        self._note_order(sequence)
        self._held[sequence] = (now, item)
        if len(self._held) > MAX_HELD:
            self._skip_to(self._first_held())

    def _first_held(self) -> int:
        due = self._next or 0
        return min(self._held, key=lambda sequence: (sequence - due) & 0xFFFF)

    def _hand_on(self, sequence: int, item: Item) -> None:
        self._ready.append(item)
        self._next = (sequence + 1) & 0xFFFF
        while self._held and (held := self._held.pop(self._next, None)):
            self._ready.append(held[1])
            self._next = (self._next + 1) & 0xFFFF

    def _skip_to(self, sequence: int) -> None:
        self.lost += (sequence - (self._next or 0)) & 0xFFFF
        self._hand_on(sequence, self._held.pop(sequence)[1])

    def _skip_all(self) -> None:
        while self._held:
            self._skip_to(self._first_held())
        self._after_jump = None
