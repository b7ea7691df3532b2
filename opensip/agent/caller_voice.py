"""A caller's voice, for services that hear by themselves: when it was, and what of it was missed.

Where a service fails, what the caller said last may have been answered by nobody: the next is
given the sound of it.
"""

from collections import deque

import numpy as np

from opensip.agent import voice_activity
from opensip.agent.voice_activity import Voicing
from opensip.audio.frame import AudioFrame, Samples

PAUSE = 0.3  # seconds without a voice after which speech is a new beginning
KEPT = 4.0  # seconds of sound: in pieces of 20 ms less than may wait for a peer (agent/outbox.py)
_BEFORE = 0.3  # seconds kept from before the voice was noticed: weak first sounds
_LEAST = 0.25  # seconds of a voice that are words
_NOTICED = 1.0  # seconds that a service takes to notice a voice, or its end, at most
_LATE = 0.1  # seconds by which a turn's end may be told before its last sound is known as voice


class CallerVoice:
    """One caller's. `began` and `until` are of its last stretch, in seconds; `is_there`: it lasts.

    Raises MissingExtra where the `detector` is not there.
    """

    def __init__(self, detector: str, rate: int, now: float) -> None:
        self.began = self.until = now
        self.is_there = False
        self._activity = voice_activity.make(detector, rate, self._decided)
        self._kept: deque[AudioFrame] = deque()
        self._stretches: deque[tuple[float, float]] = deque()
        self._settled = now
        self._given = now  # until when the sound was that a service was given late

    @property
    def lasted(self) -> float:
        """How long it has lasted, or its last stretch did, in seconds."""
        return self.until - self.began

    def begun(self, now: float) -> float:
        """Tell when the voice began that a service has noticed; now, where we have heard none."""
        return min(self.began, now) if self.until > now - _NOTICED else now

    def ended(self, noticed: float, now: float) -> float:
        """Tell when the voice ended that a service noticed then; now, where we have heard none."""
        is_noticed = self.until > noticed - _NOTICED or self.until == self._given
        return min(self.until, now) if is_noticed else now

    def hear(self, frame: AudioFrame) -> None:
        """Take what comes from the caller."""
        self._kept.append(frame)
        self._activity.hear(frame)
        while self._kept[-1].at - self._kept[0].at >= KEPT:
            self._kept.popleft()
        while self._stretches and self._stretches[0][1] < self._kept[0].at:
            self._stretches.popleft()

    def settle(self, until: float) -> None:
        """Learn that what was said until then has been understood or answered."""
        self._settled = max(self._settled, until)

    def missed(self) -> Samples:
        """Give the sound since the first word that nobody understood or answered, KEPT at most."""
        since = self._settled
        open_ones = [(max(a, since), b) for a, b in self._stretches if b > since + _LATE]
        if not open_ones or (not self.is_there and sum(b - a for a, b in open_ones) < _LEAST):
            return np.empty(0, np.int16)
        self._given = self.until
        first = max(since, open_ones[0][0] - _BEFORE)
        return np.concatenate([one.samples for one in self._kept if one.at + one.seconds > first])

    def _decided(self, heard: Voicing) -> None:
        self.is_there = heard.voiced
        if not heard.voiced:
            return
        if heard.at > self.until + PAUSE or not self._stretches:
            self.began = heard.at
            self._stretches.append((heard.at, heard.at))
        self.until = heard.at + heard.seconds
        self._stretches[-1] = (self._stretches[-1][0], self.until)
