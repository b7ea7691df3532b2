"""What a model is told of an agent's tools."""

from collections.abc import Iterator
from contextlib import suppress

from opensip.agent import toolbox
from opensip.agent.definition import Agent
from opensip.errors import OpenSipError


def undescribed(agent: Agent) -> Iterator[str]:
    """Tell of tools of which a model learns the name alone; those that cannot be made are left."""
    for name, table in agent.tools.items():
        with suppress(OpenSipError):
            if not toolbox.load(name, table, anew=True).description:
                yield (
                    f"tools.{name}: the model is not told what it does: give its function a "
                    "docstring, or write description = …"
                )
