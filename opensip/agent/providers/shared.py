"""What providers and tools keep open for all calls of a loop."""

import sys

_SHARING = (
    "opensip.agent.probing",  # before the clients that it uses
    "opensip.agent.providers.embedded_recognizer",
    "opensip.agent.providers.openai.client",
    "opensip.agent.tools.webhook",
)


async def close_shared() -> None:
    """End what is shared on the running loop (processes, connections), before the loop ends."""
    for name in _SHARING:
        if module := sys.modules.get(name):
            await module.close_shared()
