"""Tells a live recognizer where the caller's voice pauses and goes on, where it wants to know."""

from typing import Protocol, runtime_checkable

from opensip.agent.voice_activity import Voicing

PAUSE_SECONDS = 0.2  # silence after which recognising may begin, in a turn as here
_SHORT_SECONDS = 0.22  # a cough is shorter; words of what is longer count, however late they come
_EPSILON = 1e-9


@runtime_checkable
class PacedRecognizer(Protocol):
    """A live recognizer whose service cannot tell pauses, or is not asked to: we tell it.

    Nothing but voices, each with the moment before it, need be sent.
    """

    def pause(self) -> None:
        """The voice has paused: what it said is to be told."""

    def resume(self) -> None:
        """A voice began, a moment ago, or goes on in the same turn."""

    def forget(self) -> None:
        """It was none: what was heard since `resume` is not to be told."""


class Pace:
    """Learns of every stretch of audio and of every turn's begin and end; does nothing for others.

    A turn may end while its voice goes on, because it is long: then that is a pause too.
    """

    def __init__(self, recognizer: object) -> None:
        self._recognizer = recognizer if isinstance(recognizer, PacedRecognizer) else None
        self._in_turn = False
        self._voiced = False
        self._until = 0.0  # when the voice was heard last
        self._seconds = 0.0  # of it, since it began or went on

    def hear(self, heard: Voicing) -> None:
        """Learn whether a voice was there."""
        if self._recognizer is None or not self._in_turn:
            return
        until = heard.at + heard.seconds
        if heard.voiced:
            self._until = until
            self._resume()
            self._seconds += heard.seconds
        elif self._voiced and until - self._until >= PAUSE_SECONDS - _EPSILON:
            self._pause()

    def begin(self, *, goes_on: bool = False) -> None:
        """A turn begins; `hear` has yet to tell of its voice, unless it `goes_on`."""
        self._in_turn = True
        if goes_on:
            self._until = float("inf")  # what is said of it already must be heard
            self._resume()
            self._seconds = _SHORT_SECONDS

    def end(self) -> None:
        """The turn is over, and its words count."""
        self._pause()
        self._in_turn = False

    def forget(self) -> None:
        """It was no turn, as far as is known."""
        if self._seconds >= _SHORT_SECONDS - _EPSILON:
            self._pause()
        elif self._recognizer is not None and self._voiced:
            self._recognizer.forget()
        self._in_turn = self._voiced = False

    def _resume(self) -> None:
        if self._recognizer is not None and not self._voiced:
            self._voiced, self._seconds = True, 0.0
            self._recognizer.resume()

    def _pause(self) -> None:
        if self._recognizer is not None and self._voiced:
            self._recognizer.pause()
        self._voiced = False
