"""Who is asked of the providers of one stage, and who is asked next where one fails."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from opensip.agent.health import Health
from opensip.agent.probing import watch
from opensip.errors import ProviderError
from opensip.events import Observer, ProviderFailed, ProviderRecovered

P = TypeVar("P")
_AT_ONCE = 10.0  # seconds in which a question is asked twice; a talk that breaks later is news


class LineUp(Generic[P]):
    """Providers in the order in which they are tried; who worked last is asked first.

    An error that says it is `retryable` costs a provider nothing the first time that a question
    meets it. Any other makes room for the next; who failed goes to the end, and may be well again
    in a later turn. Services that rest (agent/health.py) are at the end from the beginning. What
    fails twice for the same reason, because it was asked twice, is told once.
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
        self._told: tuple[P, str, float] | None = None  # the last failure of this question

    @property
    def first(self) -> P:
        """Who is asked first. Raises ProviderError where there never was anybody."""
        if not self._order:
            raise ProviderError(f"no {self._stage} is left", provider=self._stage)
        return self._order[0]

    @property
    def order(self) -> tuple[P, ...]:
        """All, in the order in which they are asked now."""
        return tuple(self._order)

    def tries(self) -> Iterator[P]:
        """Give whom to ask a question, in order; `failed` or `worked` must tell how each went."""
        self._told = None
        for provider in tuple(self._order):
            self._again = False
            yield provider
            if self._again:
                yield provider

    def worked(self, provider: P) -> None:
        """Learn that a provider did its work."""
        health = _health(provider)
        if health and health.worked():
            self._observer.note(ProviderRecovered(self._now(), self._stage, _name_of(provider)))
        while self._order[0] is not provider:
            self._order.rotate(-1)

    def failed(self, provider: P, error: Exception) -> None:
        """Learn that a provider failed."""
        told = error if isinstance(error, ProviderError) else None
        self._again = told is not None and told.retryable
        if self._order[0] is provider:
            self._order.rotate(-1)
        text, now = str(error) or type(error).__name__, self._now()
        if not self._is_told(provider, text, now):
            if health := _health(provider):
                health.failed(told.rest if told else 0.0)
                watch(health, self._stage, _name_of(provider))
            self._observer.note(ProviderFailed(now, self._stage, _name_of(provider), text))

    def _is_told(self, provider: P, text: str, now: float) -> bool:
        """Tell whether this is what the same question has met already."""
        last, self._told = self._told, (provider, text, now)
        return last is not None and last[:2] == (provider, text) and now - last[2] < _AT_ONCE


def _name_of(provider: object) -> str:
    return str(getattr(provider, "name", "") or type(provider).__name__)


def _health(provider: object) -> Health | None:
    health = getattr(provider, "health", None)
    return health if isinstance(health, Health) else None


def _asked_last(provider: object) -> bool:
    health = _health(provider)
    return health is not None and not health.tried()
