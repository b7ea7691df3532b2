"""What agents talk with, made once: what is wrong with a file, or with this machine."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from opensip.agent import toolbox, voice_activity
from opensip.agent.check import STAGES, meant
from opensip.agent.check_hearing import deaf
from opensip.agent.check_realtime import speaks_by_model
from opensip.agent.check_replies import foreign
from opensip.agent.check_tools import undescribed
from opensip.agent.check_waiting import unbridged
from opensip.agent.definition import LINE_TESTS, LIVE, TALKING, Agent
from opensip.agent.memory import Memory
from opensip.agent.providers import made, make_stage
from opensip.carriers import Trunk
from opensip.errors import ConfigError, MissingExtra, MissingProgram

_NUMBER = re.compile(r"^numbers\.[^.]*\.")  # before a mistake that one number's callers meet
_WAYS = ("file", "module", "url")  # that a tool is carried out


def mistakes(agent: Agent, known: Collection[str], unable: list[str]) -> Iterator[str]:
    """Make tools and providers, and name the mistakes beside those `known` of agent/check.py.

    Where this machine lacks something, `unable` is told.
    """
    agent = meant(agent)
    if agent.kind not in (*TALKING, *LIVE):
        return
    broken: dict[str, str] = {}
    if agent.kind == "model" or (agent.kind in LIVE and speaks_by_model(agent)):
        broken = dict(_broken_tools(agent))
    yield from broken.values()
    tools = {name: tool for name, tool in agent.tools.items() if name not in broken}
    agent = replace(agent, tools=tools)
    told: set[str] = set()
    for one in (agent, *map(agent.at, agent.numbers)):  # as callers of each number meet it
        for make in _makers(one, known):
            try:
                make()
            except (MissingExtra, MissingProgram) as error:
                text = f"agent {agent.name} can take no call: {error}"
                unable += [] if text in unable else [text]
            except ConfigError as error:
                yield from {str(error)} - told
                told.add(str(error))


def doubts(agent: Agent) -> Iterator[str]:
    """Tell what works in an agent's file, but not as a caller needs it."""
    yield from (*deaf(agent), *unbridged(agent), *foreign(agent), *undescribed(agent))


def warnings(agents: Iterable[Agent]) -> Iterator[str]:
    """Find agents that work, but not as a caller needs them."""
    for agent in agents:
        yield from (f"agent {agent.name}: {what}" for what in doubts(agent))
        try:
            if agent.kind in LIVE:  # where the service fails there is only silence
                make_stage("synthesizer", agent, {}, Memory())
        except (MissingExtra, MissingProgram) as error:
            yield f"agent {agent.name} cannot say itself that a service failed: {error}"


def unspoken(agents: Mapping[str, Agent], trunks: Iterable[Trunk]) -> Iterator[str]:
    """Find numbers whose callers are to be told that they are recorded, by agents without words."""
    for trunk in trunks:
        for number in trunk.numbers:
            route = trunk.route(number)
            if route is None or not (route.recording and route.consent):
                continue
            if agents[route.agent].kind in LINE_TESTS:
                yield (
                    f"trunk {trunk.name}: numbers.{number}: agent {route.agent} has no voice to "
                    'speak the consent, so its calls are not recorded; consent = "" there records '
                    "them without asking"
                )


def _broken_tools(agent: Agent) -> Iterator[tuple[str, str]]:
    for name, tool in agent.tools.items():
        way = next((key for key in _WAYS if getattr(tool, key)), "")
        try:
            toolbox.load(name, tool, anew=True)
        except ConfigError as error:
            yield name, f"tools.{name}.{way}: {error}" if way else f"tools.{name}: {error}"


def _makers(agent: Agent, known: Collection[str]) -> Iterator[Callable[[], Any]]:
    """Give what makes each provider of an agent, but those of which mistakes are known."""
    for stage in ("realtime", "synthesizer") if agent.kind in LIVE else STAGES:
        if stage in ("realtime", "dialogue") and known:
            continue  # they are made of the whole file
        for name in getattr(agent, stage):
            wrong = any(
                _NUMBER.sub("", what).startswith((f"{stage}: ", f"providers.{name}."))
                or what.endswith(f"{stage} names {name!r}")
                for what in known
            )
            if not wrong and agent.kind in LIVE and stage == "synthesizer":
                yield partial(_voice, agent, name)
            elif not wrong:
                yield partial(made, stage, name, agent, {}, Memory())
    if agent.voice_activity in voice_activity.WISHES:
        yield partial(voice_activity.choice, agent.voice_activity)


def _voice(agent: Agent, name: str) -> None:
    """Make a voice that is not needed: where this machine lacks it, `warnings` tell."""
    with suppress(MissingExtra, MissingProgram):
        made("synthesizer", name, agent, {}, Memory())
