"""Who is asked of the providers of one stage, and who is asked next where one fails."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from opensip.agent.health import Health
from opensip.errors import ProviderError
from opensip.events import Observer, ProviderFailed

P = TypeVar("P")


class LineUp(Generic[P]):
    """Providers in the order in which they are tried; who worked last is asked first.

    An error that says it is `retryable` costs a provider nothing the first time that a question
    meets it. Any other makes room for the next; who failed goes to the end, and may be well again
    in a later turn. Services that rest (agent/health.py) are at the end from the beginning, all
    but for the one call that tries them after that.
    """

    def __init__(
        self, stage: str, providers: Sequence[P], observer: Observer, now: Callable[[], float]
    ) -> None:
        self.all = tuple(providers)
        self._stage = stage
        self._order = deque(sorted(providers, key=_asked_last))  # a stable sort: the file's order
        self._observer = observer
        self._now = now
        self._again = False

    @property
    def first(self) -> P:
        """Who is asked first. Raises ProviderError where there never was anybody."""
        if not self._order:
            raise ProviderError(f"no {self._stage} is left", provider=self._stage)
        return self._order[0]

    def tries(self) -> Iterator[P]:
        """Give whom to ask a question, in order; `failed` or `worked` must tell how each went."""
        for provider in tuple(self._order):
            self._again = False
            yield provider
            if self._again:
                yield provider

    def worked(self, provider: P) -> None:
        """Learn that a provider did its work."""
        if health := _health(provider):
            health.worked()
        while self._order[0] is not provider:
            self._order.rotate(-1)

    def failed(self, provider: P, error: Exception) -> None:
        """Learn that a provider failed."""
        told = error if isinstance(error, ProviderError) else None
        self._again = told is not None and told.retryable
        if health := _health(provider):
            health.failed(told.rest if told else 0.0)
        if self._order[0] is provider:
            self._order.rotate(-1)
        text = str(error) or type(error).__name__
        name = str(getattr(provider, "name", "") or type(provider).__name__)
        self._observer.note(ProviderFailed(self._now(), self._stage, name, text))


def _health(provider: object) -> Health | None:
    health = getattr(provider, "health", None)
    return health if isinstance(health, Health) else None


def _asked_last(provider: object) -> bool:
    health = _health(provider)
    return health is not None and not health.tried()
