"""What is no mistake, but leaves callers unheard: phrases are known where anything is said."""

from collections.abc import Iterator

from opensip.agent.definition import Agent

_EMBEDDED = "embedded"  # the recognizer that understands only the phrases it is given
DEAF = "'embedded' understands only the phrases of a script, and an agent of a model has none"


def deaf(agent: Agent) -> Iterator[str]:
    """Tell where an agent of a model listens by what understands nothing."""
    wrong = [name for name in agent.recognizer if is_deaf(agent, name)]
    if wrong and len(wrong) == len(agent.recognizer):
        yield (
            f"recognizer: {DEAF}: it understands nobody; name an account of [providers] that has "
            "a recognizer_model"
        )
    elif wrong:
        yield (
            f"recognizer: {DEAF}: where the others fail, nobody is understood; take it out, and "
            "callers go to the human at once"
        )


def is_deaf(agent: Agent, name: str) -> bool:
    """Tell whether a recognizer of the agent can understand nothing that is said to it."""
    account = agent.providers.get(name)
    return agent.kind == "model" and (account.provider if account else name) == _EMBEDDED
