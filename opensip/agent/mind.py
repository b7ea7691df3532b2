"""The agent's mind: the first dialogue that works."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing

from opensip.agent.line_up import LineUp
from opensip.agent.listening import is_cancelled
from opensip.agent.preparing import prepare
from opensip.agent.providers import Act, Dialogue, Expectation, SupposingDialogue, Understood
from opensip.errors import ProviderError
from opensip.events import Observer

Ask = Callable[[Dialogue], AsyncIterator[Act]]  # what is wanted of whichever dialogue it is

_SECONDS = 45.0  # until the next act: longer than any tool may take, and nobody holds the line


class Mind:
    """Asks a dialogue, and the next where it fails."""

    def __init__(
        self, dialogues: Sequence[Dialogue], observer: Observer, now: Callable[[], float]
    ) -> None:
        self._line_up = LineUp("dialogue", dialogues, observer, now)

    def expectation(self) -> Expectation:
        """Tell what may be said next."""
        return self._line_up.first.expectation()

    def heard(self, text: str, *, interrupted: bool) -> None:
        """Let the dialogue know what the caller heard of its last answer."""
        self._line_up.first.heard(text, interrupted=interrupted)

    @property
    def supposes(self) -> bool:
        """Whether the dialogue can answer a turn that may not be over."""
        return isinstance(self._line_up.first, SupposingDialogue)

    def unsay(self) -> None:
        """A turn was not over: let every dialogue forget it, and its answer."""
        for dialogue in self._line_up.all:
            if isinstance(dialogue, SupposingDialogue):
                dialogue.unsay()

    async def prepare(self) -> None:
        """Let every dialogue get ready."""
        await prepare(self._line_up.all)

    async def close(self) -> list[Act]:
        """Let every dialogue end what still runs; gives what has come of it."""
        return [act for dialogue in self._line_up.all for act in await dialogue.close()]

    async def acts(self, ask: Ask) -> AsyncGenerator[Act]:
        """Give the acts of an answer. Raises ProviderError once no dialogue works."""
        last: ProviderError | None = None
        for dialogue in self._line_up.tries():
            try:
                async with aclosing(_guarded(ask(dialogue))) as acts:
                    async for act in acts:
                        yield act
            except ProviderError as error:
                self._line_up.failed(dialogue, error)
                last = error
            else:
                self._line_up.worked(dialogue)
                return
        raise last or ProviderError("no dialogue is left", provider="dialogue")


def supposing(turn: Understood, committed: asyncio.Event) -> Ask:
    """Ask for the answer to a turn that may not be over; who cannot suppose waits for its end."""

    async def answer(dialogue: Dialogue) -> AsyncIterator[Act]:
        if isinstance(dialogue, SupposingDialogue):
            acts = dialogue.suppose(turn, committed)
        else:
            await committed.wait()
            acts = dialogue.answer(turn)
        async with aclosing(_guarded(acts)) as given:
            async for act in given:
                yield act

    return answer


async def _guarded(acts: AsyncIterator[Act]) -> AsyncGenerator[Act]:
    try:
        while True:
            async with asyncio.timeout(_SECONDS):
                act = await anext(acts, None)
            if act is None:
                return
            yield act
    except ProviderError:
        raise
    except asyncio.CancelledError as error:
        if is_cancelled():
            raise
        text = "the answer was cancelled from within"
        raise ProviderError(text, provider="dialogue") from error
    except Exception as error:  # foreign code: one answer of a dialogue
        text = f"{type(error).__name__}: {error}"
        raise ProviderError(text, provider="dialogue") from error
    finally:
        if isinstance(acts, AsyncGenerator):  # an answer that was broken off ends now, not later
            await acts.aclose()
