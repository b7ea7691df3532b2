"""What the tools of one call may take, and why one may not run any more. Pure.

A model that goes round in circles would keep the caller waiting, and somebody's server busy.
"""

from collections import Counter
from dataclasses import replace

from opensip.agent.definition import Agent
from opensip.agent.memory import Spent, Wanted
from opensip.agent.tools.builtin import BUILT_IN, HANG_UP, LOOK_UP, TRANSFER

MOST_IN_A_TURN = 2  # of the same with the same arguments: the second may have been a stumble
MOST_BUILT_IN = 100  # calls of built-in tools: no talk has so many, a circle soon has
LEAVING = (HANG_UP, TRANSFER)  # the ways out, which nothing closes


def is_again(spent: Spent, wanted: Wanted, turn: int) -> bool:
    """Tell whether the same was done often enough since the caller's last turn."""
    return _repeats(wanted) and spent.lately.get((turn, wanted), 0) >= MOST_IN_A_TURN


def exceeded(agent: Agent, spent: Spent, wanted: Wanted) -> str:
    """Name the limit of the call that forbids a tool to run; "" where none does."""
    name, _ = wanted
    ran = spent.ran.get(wanted, 0)
    if name not in BUILT_IN and spent.calls >= agent.tool_calls:
        return f"the {agent.tool_calls} calls of tools of this call (tool_calls) are made"
    if _repeats(wanted) and ran >= agent.tool_repeats:
        return f"{name} ran {ran} times with the same arguments in this call (tool_repeats)"
    if name in BUILT_IN and name not in LEAVING and _built_in(spent) >= MOST_BUILT_IN:
        return f"the {MOST_BUILT_IN} calls of built-in tools of a call are made"
    return ""


def counted(spent: Spent, wanted: Wanted, turn: int) -> Spent:
    """Count a tool that runs."""
    return replace(
        spent,
        calls=spent.calls + (wanted[0] not in BUILT_IN),
        ran=Counter(spent.ran) + Counter([wanted]),
        lately=Counter({key: n for key, n in spent.lately.items() if key[0] == turn})
        + Counter([(turn, wanted)]),
    )


def _repeats(wanted: Wanted) -> bool:
    """Tell whether it makes no sense to do the same again and again: keys are pressed anew."""
    return wanted[0] == LOOK_UP or wanted[0] not in BUILT_IN


def _built_in(spent: Spent) -> int:
    return sum(n for (name, _), n in spent.ran.items() if name in BUILT_IN and name not in LEAVING)
