"""The keys that an agent presses, in their order, once what it said before has been heard."""

import asyncio
from collections.abc import Callable

import structlog

from opensip.call.leg import Leg
from opensip.errors import OpenSipError
from opensip.events import KeysPressed, Observer

log = structlog.get_logger(__name__)

_SPEECH = 30.0  # seconds that what was said before may take to be heard


class Keys:
    """Presses keys on a leg, in the background. `close` when the leg is over."""

    def __init__(self, leg: Leg, *, observer: Observer, now: Callable[[], float]) -> None:
        self._leg = leg
        self._observer = observer
        self._now = now
        self._wanted: asyncio.Queue[str] = asyncio.Queue()
        self._pressing: asyncio.Task[None] | None = None

    def press(self, digits: str) -> None:
        """Press keys after those that wait already; a peer that takes none is noted."""
        self._wanted.put_nowait(digits)
        if self._pressing is None:
            self._pressing = asyncio.create_task(self._press_all())

    def close(self) -> None:
        """Press no more."""
        if self._pressing is not None:
            self._pressing.cancel()

    async def _press_all(self) -> None:
        while True:
            digits = await self._wanted.get()
            error = ""
            try:
                async with asyncio.timeout(_SPEECH):
                    await self._leg.sink.drained()
                await self._leg.send_digits(digits)
            except (OpenSipError, TimeoutError) as failure:
                error = str(failure) or "what was said before was not heard"
                log.warning("keys_unsent", why=error)
            self._observer.note(KeysPressed(self._now(), digits, error))
