"""Which requests of ours still await their final answer."""

import asyncio

from opensip.sip.transaction import TransactionKey

PATIENCE = 2.0  # seconds that peers have for their last answers


class Unanswered:
    """Keeps the keys of open requests, and lets somebody wait until there are none."""

    def __init__(self) -> None:
        self._keys: set[TransactionKey] = set()
        self._none = asyncio.Event()
        self._none.set()

    def add(self, key: TransactionKey) -> None:
        """Await the answer of one more."""
        self._keys.add(key)
        self._none.clear()

    def settle(self, key: TransactionKey) -> None:
        """Await that one no more, if it was awaited."""
        self._keys.discard(key)
        if not self._keys:
            self._none.set()

    async def wait(self) -> bool:
        """Wait for the last of them, but not for ever; tell whether there is none.

        Who closes at once leaves a 487 without its ACK, a 200 that crossed the CANCEL without
        its BYE, and a BYE that was lost is not sent again.
        """
        try:
            await asyncio.wait_for(self._none.wait(), PATIENCE)
        except TimeoutError:
            return False
        return True
