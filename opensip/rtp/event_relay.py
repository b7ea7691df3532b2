"""Telephone events of one source, sent on to another peer: each key press anew.

The packets that came are not those that leave: losses, bursts and repetitions stay behind, and
the next peer gets each press from its beginning, for as long as it lasted, and its end thrice.
"""

from collections import deque
from dataclasses import dataclass

from opensip.rtp.telephone_event import ENDS, LATEST, MAX_DURATION, EventPacket, TelephoneEvent

PRESSES = 16  # that wait; nobody presses faster than can be told
TOLERANCE = 160  # timestamp units at 8 kHz: a packet time
END_LOST = 960  # timestamp units without a packet after which a press is over
GAP = 2  # packet times between two presses, so that they stay two


@dataclass(slots=True)
class _Press:
    """One key press, as its packets told of it so far. Times are in timestamp units."""

    event: int
    volume: int
    ended: bool
    timestamp: int  # of its newest segment
    segment: int  # what that has lasted
    earlier: int = 0  # what its segments before that lasted
    quiet: int = 0  # since its last packet

    @property
    def duration(self) -> int:
        return min(self.earlier + self.segment, MAX_DURATION)


class EventRelay:
    """Takes packets in order, and gives what to send in the place of audio. Does no I/O.

    `told` is an event that has been sent on by other means, with its timestamp: what still comes
    of it is let pass.
    """

    def __init__(self, told: tuple[int, TelephoneEvent] | None = None) -> None:
        self._presses: deque[_Press] = deque()
        self._newest: _Press | None = None  # which may have been sent on already
        if told is not None:
            timestamp, event = told
            self._newest = _Press(event.event, event.volume, event.ended, timestamp, event.duration)
        self._sent = 0  # how long the first has been sent on for
        self._ends = 0
        self._gap = 0

    def begin(self) -> None:
        """Forget the source: another has begun. What waits is sent on all the same."""
        self._newest = None
        for press in self._presses:
            press.ended = True

    def put(self, timestamp: int, payload: bytes, *, marker: bool) -> None:
        """Take a packet whose turn it is. Raises RemoteProtocolError."""
        event = TelephoneEvent.parse(payload)
        came = _Press(event.event, event.volume, event.ended, timestamp, event.duration)
        last = self._newest
        if last is None:
            return self._begin_press(came)
        step = (timestamp - last.timestamp) & 0xFFFFFFFF
        same = came.event == last.event
        if step == 0 and same:
            return self._follow(last, came, marker)
        if step >= 0x100000000 - LATEST:
            return None  # a late packet of an earlier press
        if same and not last.ended and not marker and step <= last.segment + TOLERANCE:
            return _go_on(last, came, step)
        return self._begin_press(came)

    def next_packet(self, units: int) -> EventPacket | None:
        """Give what is due in a packet time of `units`; None when that is audio."""
        if self._gap:
            self._gap -= 1
            return None
        if not self._presses:
            return None
        press, marker = self._presses[0], not self._sent
        press.quiet += units
        press.ended = press.ended or press.quiet > END_LOST
        if not self._ends and press.ended and self._sent and self._sent >= press.duration:
            self._ends = ENDS
        if not self._ends:
            self._sent += units
        duration = min(self._sent, MAX_DURATION)
        sent = TelephoneEvent(press.event, self._ends > 0, press.volume, duration)
        if self._ends:
            self._ends -= 1
            if not self._ends:
                self._presses.popleft()
                self._sent, self._gap = 0, GAP
        return EventPacket(sent.serialize(), marker)

    def _begin_press(self, press: _Press) -> None:
        room = len(self._presses) < PRESSES
        self._newest = press if room else None
        if room:
            self._presses.append(press)

    def _follow(self, last: _Press, came: _Press, marker: bool) -> None:
        """Take one more packet of a press, or of the next under the same timestamp."""
        if marker and last.ended and came.segment < last.segment:
            return self._begin_press(came)
        last.segment = max(last.segment, came.segment)
        last.ended = last.ended or came.ended
        last.quiet = 0
        return None


def _go_on(last: _Press, came: _Press, step: int) -> None:
    """Go on with the next segment of a long press (RFC 4733 section 2.5.1.3)."""
    if came.segment < last.segment:
        last.earlier = min(last.earlier + step, MAX_DURATION)
    last.segment, last.timestamp = came.segment, came.timestamp
    last.ended, last.quiet = came.ended, 0
