"""Providers of the density bench within the server's process."""

import time
from datetime import datetime
from pathlib import Path

from opensip.agent.model import ModelDialogue
from opensip.agent.providers import Brief
from scripts.benches.density.plan import ANSWER, Plan, load
from scripts.benches.talk.fakes import ChatFake, LiveFake, VoiceFake

_plans: list[Plan] = []


def begin(folder: Path) -> None:
    """Read what the recognizers know."""
    _plans.append(load(folder))


def make_recognizer(brief: Brief) -> LiveFake:
    """Make one that knows when turns end."""
    return LiveFake(_plans[0].told, ends_turns=True)


def make_dialogue(brief: Brief) -> ModelDialogue:
    """Make a model's dialogue, of one answer."""
    return ModelDialogue(brief, ChatFake(ANSWER), now=time.monotonic, today=datetime.now())  # noqa: DTZ005


def make_synthesizer(brief: Brief) -> VoiceFake:
    """Make a voice of one tone."""
    return VoiceFake()
