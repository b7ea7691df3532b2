"""Notices that both sides of a talk have fallen silent, and knows what is said then. Pure.

Everything that is asked for in a call counts, whoever of its providers says it.
"""

from collections.abc import Sequence

_ASK = "(The caller has been silent for {seconds:g} s. Say exactly these words: {words})"
_LEAVE = (
    "(The caller is still silent: the call ends after your next words."
    " Say exactly these, and run no tool: {words})"
)


class Idle:
    """After each `seconds` of silence one of `prompts` is due, and after the last `farewell`.

    `held` tells that the caller holds us: music is heard as silence. `leaves` tells that the
    farewell was asked for, after which the call is over unless the caller speaks.
    """

    def __init__(self, seconds: float, prompts: Sequence[str], farewell: str) -> None:
        self.held = False
        self._seconds = seconds
        self._prompts = tuple(prompts)
        self._farewell = farewell
        self._asked = 0
        self._since: float | None = None

    @property
    def leaves(self) -> bool:
        """Whether the last words were asked for."""
        return self._asked > len(self._prompts)

    def heard(self) -> None:
        """The caller was heard: begin anew."""
        self._asked, self._since = 0, None

    def look(self, at: float, *, busy: bool) -> str:
        """Learn whether anybody was `busy` at that second; give the note that is due, or ""."""
        if busy or self.held or self._since is None:
            self._since = at
        elif at - self._since >= self._seconds and not self.leaves:
            self._asked, self._since = self._asked + 1, at
            return self._note()
        return ""

    def _note(self) -> str:
        if self.leaves:
            return _LEAVE.format(words=self._farewell)
        return _ASK.format(seconds=self._seconds, words=self._prompts[self._asked - 1])
