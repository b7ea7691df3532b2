"""Is what is heard our own voice, come back over the line? Levels against levels, words on words.

An echo is what was sent, some hundred milliseconds later and softer. Its delay and loss are
learned from the first second in which the levels move together; from then on a frame that
is no louder than the echo that is due counts as echo, and one that is louder as a voice.
Until then a voice that begins right after ours, in our words, is taken for an echo: nobody
repeats a word before it was said.
"""

import math

import numpy as np
from numpy.typing import NDArray

from opensip.agent.backchannels import words_of
from opensip.audio.frame import Samples
from opensip.audio.level import levels

_TICK = 0.02
_LAGS = 30  # ticks: 0.6 s, longer than the echo of any line that people bear
_WINDOW = 50  # ticks that are compared: a second has some syllables in it
_PAST = _WINDOW + _LAGS - 1  # ticks of our own voice that they are compared with
_RING = 128  # ticks that are remembered
_EVERY = 5  # ticks between two comparisons
_LIKE = 0.9  # correlation of levels that move together
_MOVES_DB = 5.0  # standard deviation of a level that tells anything
_MARGIN_DB = 6.0  # over the echo that is due
_LEAST_MOVES = 6  # times that a level crosses its mean: one step up is like any other
_SOFTER_DB = -6.0  # no line gives more of a voice back
_FAR_DB = 20.0  # below ours: callers are not, and who is says more than our own words
_QUIET_DBFS = -60.0
LEAST_WORDS = 2  # of an echo that is recognised by its words alone
_NOTICED = 0.4  # seconds in which a voice is noticed that begins softly
_SURE = 1.2  # seconds of ours in which nothing came back: no echo of it is to come then
_BREAK = 0.2  # seconds without a sample of ours, after which our voice begins anew
# of the last ticks, the oldest first: those of each lag's window
_SPANS = np.arange(_LAGS)[::-1, None] + np.arange(_WINDOW)


class OwnVoice:
    """Remembers what one call's sink was given, and compares what is heard with it."""

    def __init__(self, rate: int) -> None:
        self._block = max(1, round(rate * _TICK))
        self._levels: dict[int, float] = {}  # block of the sink -> dBFS, in order
        self._own = [_QUIET_DBFS] * _RING  # lists: a tick looks at single levels
        self._heard = [_QUIET_DBFS] * _RING
        self._tick = -1  # the last that was heard
        self.played = self._end = 0  # position of the sink when last told, and behind all written
        self._seen: tuple[int, float] | None = None  # lag and loss of a likeness, once
        self.echo: tuple[int, float] | None = None  # lag in ticks and gain in dB, once known
        self.known_from = float("inf")  # when that was
        self._began = self._last_played = float("-inf")  # our voice, after a silence of it
        self._last_heard = float("-inf")  # anything
        self._is_alone = False  # nothing comes back of ours, as far as is known

    def wrote(self, position: int, samples: Samples) -> None:
        """Remember samples written at a position of the sink."""
        for number, level in enumerate(levels(samples, self._block)):
            self._levels[position // self._block + number] = level
        self._end = position + len(samples)

    def cut(self, position: int) -> None:
        """Forget what was written behind a position of the sink: it is never said."""
        self._end = min(self._end, position)

    @property
    def plays(self) -> bool:
        """Whether some of what was written had not been played when last told."""
        return self.played < self._end

    @property
    def is_over(self) -> bool:
        """Whether nothing of ours is played, nor can its echo come back any more."""
        lag = 0 if self._is_alone else (_LAGS + 1) * _TICK
        return not self.plays and self._tick * _TICK - self._last_played > lag

    def hear(
        self, at: float, level_dbfs: float, *, played: int, voiced: bool,
        seconds: float = _TICK, behind: float = 0.0,
    ) -> bool:  # fmt: skip
        """Take a frame that came `at`; tell whether it is an echo of our own voice.

        One of more `seconds` than 20 ms is as loud throughout. `played` is where our voice is
        `behind` seconds after the end of the frame, as if it had not paused since.
        """
        if not self._levels:
            return False
        tick, ticks = round(at / _TICK), round(seconds / _TICK)
        if behind >= _TICK / 2:
            played = max(self.played, played - round(behind / _TICK) * self._block)
        self._settle(tick, max(ticks, 1), level_dbfs, played)
        self._look_back(at, level_dbfs)
        if voiced and not self._is_alone and self._tick % _EVERY == 0 and self._may_be_back:
            self._compare()
        return self.echo is not None and self._is_due(level_dbfs, *self.echo)

    def may_begin(self, at: float) -> bool:
        """Tell whether a voice that began `at` may be the beginning of an echo of ours."""
        return self.echo is None and 0 <= at - self._began <= _LAGS * _TICK + _NOTICED

    def is_far_below(self, began: float) -> bool:
        """Tell whether what is heard since `began` is too soft to be a caller of this line."""
        ticks = max(1, min(self._tick - round(began / _TICK) + 1, _RING - _LAGS))
        ours = max(self._last(self._own, ticks + _LAGS))
        return max(self._last(self._heard, ticks)) <= ours - _FAR_DB

    def _look_back(self, at: float, level_dbfs: float) -> None:
        """Learn whether the line gives anything back while our voice is played."""
        if level_dbfs > _QUIET_DBFS:
            self._last_heard = at
            self._is_alone = self._is_alone and not self.plays
        elif self._last_played - max(self._began, self._last_heard) > _SURE:
            self._is_alone = True

    @property
    def _may_be_back(self) -> bool:
        """Whether any of the ticks that are compared has our voice in it."""
        return self._tick * _TICK - self._last_played <= (_PAST + 1) * _TICK

    def _settle(self, tick: int, ticks: int, level_dbfs: float, played: int) -> None:
        """Keep the levels of ticks, and of those before in which nothing was heard."""
        last = tick + ticks - 1
        heard = level_dbfs if level_dbfs > _QUIET_DBFS else _QUIET_DBFS
        for now in range(max(self._tick + 1, last - _RING), last + 1):
            self._own[now % _RING] = _QUIET_DBFS
            self._heard[now % _RING] = heard if now >= tick else _QUIET_DBFS
        if played > self.played:  # a change of codec may count it a sample back
            self._keep_own(last, played)
        self.played = played
        self._tick = last

    def _keep_own(self, last: int, played: int) -> None:
        """Keep the levels of what was played until the `last` tick, since the one before."""
        block = played // self._block
        ticks = min(block - self.played // self._block + 1, last - self._tick, _RING)
        for behind in range(ticks):
            level = self._levels.get(block - behind, _QUIET_DBFS)
            self._own[(last - behind) % _RING] = max(level, _QUIET_DBFS)
        at = (last - max(ticks, 1)) * _TICK
        self._began = at if at - self._last_played > _BREAK else self._began
        self._last_played = (last - 1) * _TICK
        self._forget(block - 1)

    def _forget(self, until: int) -> None:
        """Forget the levels of blocks before `until`, but that something was said."""
        while (first := next(iter(self._levels), until)) < until:
            del self._levels[first]
        if not self._levels:
            self._levels[until] = _QUIET_DBFS

    def _compare(self) -> None:
        recent, before = self._last(self._heard, _WINDOW), self._last(self._own, _PAST)
        if not (_may_move(recent) and _may_move(before)):
            return
        heard = np.array(recent)
        apart = heard - sum(recent) / _WINDOW
        spread = math.sqrt(apart @ apart / _WINDOW)
        if spread < _MOVES_DB:
            return
        own = np.array(before)[_SPANS]  # a row for each lag; its softest parts are lost in the line
        own = np.maximum(own, np.maximum.reduce(own, axis=1)[:, None] - max(recent) + min(recent))
        own_apart = own - np.add.reduce(own, axis=1)[:, None] / _WINDOW
        spreads = np.sqrt(np.vecdot(own_apart, own_apart) / _WINDOW)
        lags = np.flatnonzero(own_apart @ apart >= _LIKE * _WINDOW * spread * spreads)
        for lag in lags[spreads[lags] >= _MOVES_DB]:
            above = own_apart[lag] > 0
            if np.count_nonzero(above[1:] != above[:-1]) >= _LEAST_MOVES:
                self._learn(int(lag), own[lag], heard)
                return

    def _learn(self, lag: int, own: NDArray[np.float64], heard: NDArray[np.float64]) -> None:
        loud = own > own.max() - 2 * _MOVES_DB
        found = lag, float((heard - own)[loud].mean())
        if self._seen and abs(self._seen[0] - lag) <= 1 and found[1] <= _SOFTER_DB:
            self.known_from = min(self.known_from, self._tick * _TICK)
            self.echo = found
        self._seen = found

    def _last(self, ring: list[float], ticks: int) -> list[float]:
        end = self._tick % _RING + 1
        return (ring[end:] + ring[:end])[-ticks:]

    def _is_due(self, level_dbfs: float, lag: int, gain: float) -> bool:
        near = max(self._own[(self._tick - lag + n) % _RING] for n in (-1, 0, 1))
        return near > _QUIET_DBFS and level_dbfs <= near + gain + _MARGIN_DB


def _may_move(levels: list[float]) -> bool:
    """Tell whether levels may deviate enough: by no more than half of what lies between them."""
    return max(levels) - min(levels) >= 2 * _MOVES_DB


def repeats(text: str, said: str, *, least: int = LEAST_WORDS) -> bool:
    """Tell whether words are a stretch of what the agent has just said; the last may be cut."""
    words, ours = words_of(text), words_of(said)
    return len(words) >= least and any(
        ours[n : n + len(words) - 1] == words[:-1]
        and ours[n + len(words) - 1].startswith(words[-1])
        for n in range(len(ours) - len(words) + 1)
    )
