"""What a voice gives, piece by piece, and for how long each may be waited for."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from opensip.agent.providers import Spoken
from opensip.audio.frame import Samples


async def in_time(
    pieces: AsyncIterator[Samples | Spoken], patience: Callable[[], float]
) -> AsyncGenerator[Spoken]:
    """Give what a synthesizer gives, and wait for no piece longer than `patience` tells, in s.

    Who takes a piece has time. Raises TimeoutError.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(patience()) as limit:
            async for piece in pieces:
                spoken = piece if isinstance(piece, Spoken) else Spoken(piece)
                if len(spoken.samples):
                    limit.reschedule(None)
                    yield spoken
                limit.reschedule(loop.time() + patience())
    finally:
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()
