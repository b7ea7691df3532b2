"""The caller's keys: digits become a number when it is complete, ended by #, or left alone."""

import asyncio
from collections.abc import Callable

_BETWEEN_KEYS = 2.0  # seconds after which a number is taken as it is
_LATE_END = 3.0  # seconds after a number's last digit in which # is a habit, and no key of its own


class Keypad:
    """Collects digits and gives each whole number to `complete`."""

    def __init__(self, complete: Callable[[str], None]) -> None:
        self._complete = complete
        self._keys = ""
        self._timer: asyncio.TimerHandle | None = None
        self._full = float("-inf")  # when a number was complete by its length

    def is_late_end(self, digit: str) -> bool:
        """Tell whether a key ends a number that its length has ended already: it says nothing."""
        since_full = asyncio.get_running_loop().time() - self._full
        return digit == "#" and not self.waiting and since_full < _LATE_END

    @property
    def waiting(self) -> bool:
        """Whether a number has been begun."""
        return bool(self._keys)

    def press(self, digit: str, wanted: int) -> None:
        """Take a key; `wanted` digits complete a number at once, 0 if its length is not known."""
        ends = digit == "#" and self.waiting
        keys = self._keys if ends else self._keys + digit
        full = not ends and 0 < wanted <= len(keys)
        self.clear()
        self._full = asyncio.get_running_loop().time() if full else float("-inf")
        if ends or full:
            self._complete(keys)
        else:
            self._keys = keys
            self._timer = asyncio.get_running_loop().call_later(_BETWEEN_KEYS, self._alone)

    def clear(self) -> None:
        """Forget what was pressed."""
        self._keys = ""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _alone(self) -> None:
        keys = self._keys
        self.clear()
        self._complete(keys)
