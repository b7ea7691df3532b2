"""The demo agent of config/agents, as the tests see it."""

import dataclasses
import tomllib
from pathlib import Path

from opensip.agent.definition import Agent
from opensip.settings.table import Reading, read

FILE = Path(__file__).parents[2] / "config/agents/shop.toml"


def shop(**changes):
    reading = Reading(FILE)
    agent = read(Agent, {"name": "shop", **tomllib.loads(FILE.read_text())}, reading)
    assert reading.mistakes == []
    return dataclasses.replace(agent, **changes)
