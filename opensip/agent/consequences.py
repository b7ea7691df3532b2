"""What follows from a built-in tool that a model has used."""

from opensip.agent.providers import Act, HangUp, Looked, Meant, Noted, Press, Record, Transfer
from opensip.agent.tools import builtin

ASKED = 1.0  # confidence of a wish that the model has put into words


def consequences(looked: Looked) -> list[Act]:
    """Tell the acts that a tool leads to; one whose arguments were wrong to nothing."""
    if looked.error:
        return []
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
