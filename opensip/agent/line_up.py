"""Who is asked of the providers of one stage, and who is asked next where one fails."""

from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

from opensip.errors import ProviderError

P = TypeVar("P")


class LineUp(Generic[P]):
    """Providers in the order in which they are tried.

    An error that says it is `retryable` costs a provider nothing the first time that a question
    meets it. Any other makes room for the next, for good; the last stays whatever happens: the
    caller's next turn may find it well again, and there is no other.
    """

    def __init__(self, providers: Iterable[P]) -> None:
        self.all = tuple(providers)
        self._left = deque(self.all)
        self._retried = False

    @property
    def first(self) -> P | None:
        """Who is to be asked; None where there never was anybody."""
        return self._left[0] if self._left else None

    def begin(self) -> None:
        """Begin a new question."""
        self._retried = False

    def failed(self, error: Exception) -> bool:
        """Take the failure of `first`; tells whether the question is to be asked again."""
        if isinstance(error, ProviderError) and error.retryable and not self._retried:
            self._retried = True
            return True
        if len(self._left) < 2:
            return False
        self._left.popleft()
        self._retried = False
        return True
