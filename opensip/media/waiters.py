"""Those who wait for a stream to change: all of them, until the next sign."""

import asyncio


class Waiters:
    """Futures of one loop, each done at the first `wake` after it was made."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    def change(self) -> asyncio.Future[None]:
        """Make a future that is done at the next sign of change."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        return waiter

    def wake(self) -> None:
        """Let everybody go on who waits."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)
