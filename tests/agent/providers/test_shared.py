import asyncio

from opensip.agent.providers.shared import close_shared


def test_closing_what_was_never_begun_does_nothing():
    asyncio.run(close_shared())
