"""What is no mistake, but leaves callers in silence: waits that nothing is said in."""

from collections.abc import Iterator

from opensip.agent.check_realtime import BOT
from opensip.agent.definition import LIVE, TALKING, Agent

LONGEST = 3.0  # seconds without a sound after which callers think that nobody is there
_STAGES = ("recognizer", "dialogue", "synthesizer")


def unbridged(agent: Agent) -> Iterator[str]:
    """Tell where an answer may take long, and there are no words for the wait."""
    seconds = 0.0 if agent.bridges else _longest_wait(agent)
    if seconds > LONGEST:
        yield (
            f"fillers: there are none, and an answer may take {seconds:g} s by the limits of"
            f" [providers]: name a few short ones in the language {agent.language!r}"
        )


def _longest_wait(agent: Agent) -> float:
    """Add up what all may take, one after the other; a bot is not waited for, ours are quick."""
    if agent.kind not in (*TALKING, *LIVE):
        return 0.0
    stages = ("realtime",) if agent.kind in LIVE else _STAGES
    return sum(seconds for stage in stages for seconds in _limits(agent, stage))


def _limits(agent: Agent, stage: str) -> Iterator[float]:
    for name in getattr(agent, stage):
        account = agent.providers.get(name)
        if account and account.provider != BOT:
            yield getattr(account, f"{stage}_seconds")
