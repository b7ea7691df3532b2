"""How an agent hears: what leaves callers unheard, and keys of an account that do nothing."""

from collections.abc import Iterator

from opensip.agent.definition import Account, Agent

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


def of_no_session(name: str, account: Account) -> Iterator[str]:
    """Name the keys of an account that its `recognizer_api` makes nothing of."""
    where, session = f"providers.{name}", 'recognizer_api = "realtime"'
    if account.recognizer_api == "realtime":
        if account.recognizer_stream:
            yield f"{where}.recognizer_stream: leave it out: with {session} words come at once"
        return
    if account.recognizer_turns != "ours":
        yield f"{where}.recognizer_turns: is only for {session}; files are cut by our own turns"
    if account.recognizer_options:
        yield f"{where}.recognizer_options: is only for {session}"
