"""An agent as its TOML file defines it, and every mistake that such a file can hold.

The dataclasses are the schema: field names are keys, defaults are defaults. `kind` says what runs:
"scripted" talks by states and intents, "echo" and "tone" are for line tests.
"""

import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from opensip.agent import grammar

KINDS = ("scripted", "echo", "tone")
_REPLIES = {
    "not_understood": "Sorry, I did not understand that.",
    "still_there": "Are you still there?",
    "nobody": "I cannot hear you, so I will end this call. Goodbye.",
    "escalate": "One moment please, I am connecting you to {who}.",
    "apology": "I am sorry, something went wrong on our side.",
    "transfer_failed": "I am sorry, I could not reach {who}.",
    "resume": "Is there something else I can help you with?",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """Whom the agent may transfer to: a sip:, sips: or tel: URI or +number, and its name aloud."""

    uri: str
    spoken: str = "a colleague"


@dataclass(frozen=True, slots=True)
class Action:
    """What answers an intent: words, then at most one of `go`, `transfer`, `hangup`.

    `say` is a template: {order}, {order:digits}, {orders.item} (of the row looked up last).
    """

    say: str = ""
    go: str = ""
    transfer: str = ""
    hangup: bool = False
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class Intent:
    """What a caller may want: the phrases that say so (agent/grammar.py) and what answers it."""

    phrases: tuple[str, ...]
    action: Action = Action()


@dataclass(frozen=True, slots=True)
class Slot:
    """Digits to collect, spoken or keyed, and the row of a data table they name.

    `phrases` surround the digits when spoken, with {digits} in place of them. `read_back` asks
    whether spoken digits were heard right; empty means not to ask. `found` and `missing` are
    the answers after the look-up in `table`.
    """

    digits: int
    phrases: tuple[str, ...] = ("{digits}",)
    read_back: str = ""
    table: str = ""
    found: Action = Action()
    missing: Action = Action()


@dataclass(frozen=True, slots=True)
class State:
    """A place in the dialogue: what is asked, what is listened for, what helps when lost.

    `keyed` names the slot that takes digits keyed in unasked.
    """

    ask: str = ""
    intents: tuple[str, ...] = ()
    slot: str = ""
    keyed: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class Agent:
    """A whole agent. Times in seconds; provider lists are tried from the first."""

    name: str
    kind: str = "scripted"
    start: str = "main"
    greeting: str = ""
    voice: str = "rms"
    recognizer: tuple[str, ...] = ("embedded",)
    dialogue: tuple[str, ...] = ("script",)
    synthesizer: tuple[str, ...] = ("embedded",)
    everywhere: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    failures: int = 2
    human: str = "human"
    idle_seconds: float = 8.0
    replies: Mapping[str, str] = field(default_factory=dict)
    states: Mapping[str, State] = field(default_factory=dict)
    intents: Mapping[str, Intent] = field(default_factory=dict)
    slots: Mapping[str, Slot] = field(default_factory=dict)
    directory: Mapping[str, Entry] = field(default_factory=dict)
    data: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)

    def reply(self, name: str) -> str:
        """Tell the template of a standing reply: the file's, else ours."""
        return self.replies.get(name, _REPLIES[name])


def check(agent: Agent) -> list[str]:
    """Name every mistake of `agent`, each with its place and its remedy."""
    if agent.kind not in KINDS:
        return [f"kind: {agent.kind!r} is not one of {', '.join(KINDS)}"]
    if agent.kind != "scripted":
        return []
    return [
        *_check_agent(agent),
        *(wrong for name, state in agent.states.items() for wrong in _state(agent, name, state)),
        *(
            wrong
            for name, intent in agent.intents.items()
            for wrong in _intent(agent, name, intent)
        ),
        *(wrong for name, slot in agent.slots.items() for wrong in _slot(agent, name, slot)),
    ]


def _check_agent(agent: Agent) -> Iterator[str]:
    yield from _known("start", agent.start, agent.states, "state")
    yield from _known("human", agent.human, agent.directory, "directory entry")
    yield from _all_known("everywhere", agent.everywhere, agent.intents, "intent")
    yield from _all_known("keys", agent.keys.values(), agent.intents, "intent")
    yield from _all_known("replies", agent.replies, _REPLIES, "reply")
    yield from (f"{w}: name at least one provider" for w in _without_provider(agent))
    if agent.failures < 1:
        yield "failures: must be at least 1"
    for key in agent.keys.keys() - set("0123456789*#"):
        yield f"keys.{key}: a key is one of 0-9, * and #"
    for name, entry in agent.directory.items():
        if not entry.uri.startswith(("sip:", "sips:", "tel:", "+")):
            yield f"directory.{name}.uri: {entry.uri!r} is no sip:, sips: or tel: URI or +number"
    for name, text in [("greeting", agent.greeting), *agent.replies.items()]:
        yield from _template(name, text)


def _without_provider(agent: Agent) -> Iterator[str]:
    for stage in ("recognizer", "dialogue", "synthesizer"):
        if not getattr(agent, stage):
            yield stage


def _state(agent: Agent, name: str, state: State) -> Iterator[str]:
    where = f"states.{name}"
    yield from _all_known(f"{where}.intents", state.intents, agent.intents, "intent")
    for key, slot in (("slot", state.slot), ("keyed", state.keyed)):
        if slot:
            yield from _known(f"{where}.{key}", slot, agent.slots, "slot")
    if not (state.intents or state.slot or agent.everywhere):
        yield f"{where}: listens for nothing; give it intents or a slot"
    for key, text in (("ask", state.ask), ("help", state.help)):
        yield from _template(f"{where}.{key}", text)


def _intent(agent: Agent, name: str, intent: Intent) -> Iterator[str]:
    where = f"intents.{name}"
    if not intent.phrases:
        yield f"{where}.phrases: name at least one phrase"
    yield from _phrases(where, intent.phrases)
    yield from _action(agent, f"{where}.action", intent.action)


def _slot(agent: Agent, name: str, slot: Slot) -> Iterator[str]:
    where = f"slots.{name}"
    if any("{digits}" not in phrase for phrase in slot.phrases):
        yield f"{where}.phrases: each must hold {{digits}}"
    yield from _phrases(where, [with_digits(phrase, slot.digits) for phrase in slot.phrases])
    if slot.table:
        yield from _known(f"{where}.table", slot.table, agent.data, "data table")
    yield from _template(f"{where}.read_back", slot.read_back)
    for key, action in (("found", slot.found), ("missing", slot.missing)):
        yield from _action(agent, f"{where}.{key}", action)


def with_digits(phrase: str, digits: int) -> str:
    """Put the grammar's own form in place of {digits}."""
    return phrase.replace("{digits}", f"<digits:{digits}>")


def _action(agent: Agent, where: str, action: Action) -> Iterator[str]:
    if sum(map(bool, (action.go, action.transfer, action.hangup, action.repeat))) > 1:
        yield f"{where}: only one of go, transfer, hangup and repeat"
    if action.go:
        yield from _known(f"{where}.go", action.go, agent.states, "state")
    if action.transfer:
        yield from _known(f"{where}.transfer", action.transfer, agent.directory, "directory entry")
    yield from _template(f"{where}.say", action.say)


def _phrases(where: str, phrases: Iterable[str]) -> Iterator[str]:
    for phrase in phrases:
        try:
            grammar.parse(phrase)
        except grammar.PhraseError as error:
            yield f"{where}.phrases: {error}"


def _template(where: str, text: str) -> Iterator[str]:
    try:
        list(string.Formatter().parse(text))
    except ValueError as error:
        yield f"{where}: {text!r} is no template: {error}; write {{{{ for a brace"


def _all_known(where: str, names: Iterable[str], known: Iterable[str], what: str) -> Iterator[str]:
    for name in names:
        yield from _known(where, name, known, what)


def _known(where: str, name: str, known: Iterable[str], what: str) -> Iterator[str]:
    if name not in known:
        yield f"{where}: no {what} {name!r}; known are {', '.join(sorted(known)) or 'none'}"
