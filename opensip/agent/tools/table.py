"""Look-ups in the tables of an agent's file."""

from collections.abc import Mapping
from typing import Any

from opensip.agent.definition import Agent
from opensip.errors import ToolError

Row = Mapping[str, Any]


def look_up(agent: Agent, table: str, key: str) -> Row | None:
    """Find the row of a table; None where there is none. Raises ToolError on an unknown table."""
    if table not in agent.data:
        known = ", ".join(sorted(agent.data)) or "none"
        raise ToolError(f"no data table {table!r}; known are {known}")
    return agent.data[table].get(key)
