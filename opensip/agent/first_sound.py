"""Notices when the first sound of an answer was played, be it written long before."""

from opensip.agent.turn_clock import TurnClock
from opensip.audio.frame import AudioSink
from opensip.events import TurnTaken


class FirstSound:
    """Times the answers to one turn after the other. `clock` is of the present one, if any."""

    def __init__(self) -> None:
        self.clock: TurnClock | None = None
        self._first: tuple[float, int] | None = None  # when it came, and where in the sink it is

    def begin(self, clock: TurnClock) -> None:
        """A turn is over, and its answer is waited for."""
        self.clock, self._first = clock, None

    def sounded(self, now: float, position: int) -> None:
        """Learn of sound at a position of the sink."""
        if self.clock and self._first is None:
            self._first = now, position

    def played(self, now: float, sink: AudioSink) -> TurnTaken | None:
        """Tell where the time went, once, when the first sample has been played."""
        if self.clock is None or self._first is None:
            return None
        voiced, start = self._first
        if (beyond := sink.played() - start) <= 0:
            return None
        clock, self.clock, self._first = self.clock, None, None
        return clock.taken(now, voiced=voiced, first_played=max(voiced, now - beyond / sink.rate))
