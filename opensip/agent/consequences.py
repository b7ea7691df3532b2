"""What follows from a tool that a model has used, or was refused."""

from opensip.agent.definition import Agent
from opensip.agent.providers import Act, HangUp, Looked, Meant, Noted, Press, Record, Transfer
from opensip.agent.tools import builtin
from opensip.agent.withheld import Refused

CARRIED_OUT = (Noted, Press, Record)  # acts that neither speak nor end the call
ASKED = 1.0  # confidence of a wish that the model has put into words


def consequences(done: Act, agent: Agent) -> list[Act]:
    """Tell the acts that a tool leads to; one whose arguments were wrong to nothing."""
    match done:
        case Refused(_, _, why, times) if times > 1:
            return [_left(agent, why, times)]
        case Looked(error=""):
            return _of(done)
    return []


def _left(agent: Agent, why: str, times: int) -> HangUp | Transfer:
    """Leave a model that goes round in circles: for a person, if there is one who comes."""
    if agent.human in agent.directory and times == 2:
        return Transfer(agent.human, "", 0.0, why)
    return HangUp(why)


def _of(looked: Looked) -> list[Act]:
    given = looked.arguments
    acts: list[Act] = []
    match looked.name:
        case builtin.TRANSFER:
            intent, summary = str(given["intent"]), str(given["summary"])
            acts.append(Meant("transfer", ASKED, intent))
            acts.append(Transfer(given["entry"], intent, ASKED, "the model asked", summary))
        case builtin.HANG_UP:
            acts.append(HangUp(str(given["reason"])))
        case builtin.NOTE_OUTCOME:
            acts.append(Noted(str(given["outcome"]), str(given.get("details", ""))))
        case builtin.PRESS_KEYS:
            acts.append(Press(str(given["keys"])))
        case builtin.PAUSE_RECORDING | builtin.RESUME_RECORDING:
            acts.append(Record(looked.name == builtin.RESUME_RECORDING))
    return acts
