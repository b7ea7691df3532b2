"""The agent's mind: the first dialogue that works."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing

from opensip.agent.providers import Act, Dialogue, Expectation
from opensip.errors import ProviderError
from opensip.events import Observer, ProviderFailed

Ask = Callable[[Dialogue], AsyncIterator[Act]]  # what is wanted of whichever dialogue it is


class Mind:
    """Asks a dialogue, and the next where it fails."""

    def __init__(
        self, dialogues: Sequence[Dialogue], observer: Observer, now: Callable[[], float]
    ) -> None:
        self._all = tuple(dialogues)
        self._dialogues = deque(dialogues)
        self._observer = observer
        self._now = now

    def expectation(self) -> Expectation:
        """Tell what may be said next."""
        return self._dialogues[0].expectation()

    def heard(self, text: str, *, interrupted: bool) -> None:
        """Let the dialogue know what the caller heard of its last answer."""
        self._dialogues[0].heard(text, interrupted=interrupted)

    async def close(self) -> None:
        """Let every dialogue end what still runs."""
        for dialogue in self._all:
            await dialogue.close()

    async def acts(self, ask: Ask) -> AsyncGenerator[Act]:
        """Give the acts of an answer. Raises ProviderError once no dialogue works.

        The last dialogue stays: what it told last is still what may be said next.
        """
        while True:
            try:
                async with aclosing(_guarded(ask(self._dialogues[0]))) as acts:
                    async for act in acts:
                        yield act
            except ProviderError as error:
                name = type(self._dialogues[0]).__name__
                self._observer.note(ProviderFailed(self._now(), "dialogue", name, str(error)))
                if len(self._dialogues) == 1:
                    raise
                self._dialogues.popleft()
            else:
                return


async def _guarded(acts: AsyncIterator[Act]) -> AsyncGenerator[Act]:
    try:
        async for act in acts:
            yield act
    except ProviderError:
        raise
    except Exception as error:  # foreign code: one answer of a dialogue
        text = f"{type(error).__name__}: {error}"
        raise ProviderError(text, provider="dialogue") from error
    finally:
        if isinstance(acts, AsyncGenerator):  # an answer that was broken off ends now, not later
            await acts.aclose()
