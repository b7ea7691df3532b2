"""What is no mistake, but foreign to callers: English words, an English voice, English ears."""

from collections.abc import Iterator

from opensip.agent.definition import LIVE, TALKING, Agent
from opensip.agent.replies import REPLIES, known
from opensip.agent.tongues import primary

_EMBEDDED = "embedded"  # the recognizer inside


def foreign(agent: Agent) -> Iterator[str]:
    """Tell where callers hear English, or must speak it, with an agent of another language."""
    yield from _foreign(agent)
    for number in agent.numbers:
        met = agent.at(number)
        if primary(met.language) != primary(agent.language):
            yield from (f"numbers.{number}.{what}" for what in _foreign(met))


def _foreign(agent: Agent) -> Iterator[str]:
    if agent.kind not in (*TALKING, *LIVE) or primary(agent.language) == "en":
        return
    if agent.kind == "scripted" and agent.recognizer == (_EMBEDDED,):
        yield f"recognizer: the embedded one understands English alone, not {agent.language!r}"
    if not agent.speaks_language:
        yield f"synthesizer: the embedded voice speaks English alone, not {agent.language!r}"
    elif not known(agent.language) and (missing := REPLIES.keys() - agent.replies.keys()):
        yield (
            f"replies: we have none in the language {agent.language!r}, so that callers hear"
            f" English: write {', '.join(sorted(missing))}"
        )
