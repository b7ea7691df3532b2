"""Every mistake that an agent's file can hold, each with its place and its remedy."""

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace

from opensip.agent import grammar, placeholders
from opensip.agent.check_hearing import of_no_session
from opensip.agent.check_realtime import check_realtime, no_url, speaks_by_model
from opensip.agent.definition import (
    KINDS,
    LIVE,
    TALKING,
    Account,
    Action,
    Agent,
    Intent,
    Slot,
    State,
    ToolTable,
    with_digits,
)
from opensip.agent.providers import NEEDS_MODEL, PROVIDERS
from opensip.agent.replies import REPLIES
from opensip.agent.tools import webhook
from opensip.agent.tools.builtin import BUILT_IN
from opensip.agent.voice_activity import WISHES
from opensip.agent.yes_no import words_for

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")  # what models take for the name of a function
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_NUMBER = re.compile(r"\+[1-9]\d{3,14}")
_PLACE = re.compile(r"\{(\w+)\}")  # of an argument in a webhook's URL
_RECORDING = ("pause", "resume")  # what an action may do to it
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_LONGEST = {"recognizer": 12.0, "dialogue": 30.0, "synthesizer": 6.0}  # seconds
PATIENCE = (0.25, 4.0)  # beyond it the agent cuts in on everybody, or the cap decides alone
_LONGEST_TOOL = 30.0  # seconds that a caller can be asked to wait, with fillers
_HUMAN = next(field.default for field in fields(Agent) if field.name == "human")
_UNFILLED = ("apology", "call_again", "too_long")  # replies that come from outside the dialogue
_NAME_WHO = ("escalate", "transfer_failed", "resume")  # replies that may hold {who}
STAGES = ("recognizer", "dialogue", "synthesizer")


def check(agent: Agent) -> list[str]:
    """Name every mistake of `agent`, each with its place and its remedy."""
    found = _check(agent)
    for number in agent.numbers:
        if not _NUMBER.fullmatch(number):
            found.append(f"numbers.{number}: is no number as +15553334444, which a caller dials")
        others = (wrong for wrong in _check(agent.at(number)) if wrong not in found)
        found += [f"numbers.{number}.{wrong}" for wrong in others]
    return found


def meant(agent: Agent) -> Agent:
    """Give the agent with the kind that it probably means, where its own is none."""
    if agent.kind in KINDS:
        return agent
    close = difflib.get_close_matches(agent.kind, KINDS, n=1, cutoff=0.5)
    content = "scripted" if agent.states else "model" if agent.persona else agent.kind
    return replace(agent, kind=close[0] if close else content)


def _check(agent: Agent) -> list[str]:
    if agent.kind not in KINDS:
        told, agent = f"kind: {agent.kind!r} is not one of {', '.join(KINDS)}", meant(agent)
        return [told, *(_check(agent) if agent.kind in KINDS else ())]
    if agent.kind in LIVE:
        model = _check_model(agent) if speaks_by_model(agent) else ()
        voices = (
            one for name in agent.synthesizer for one in _provider(agent, "synthesizer", name)
        )
        human = () if model else _told_human(agent)
        return [*_check_talking(agent), *check_realtime(agent), *voices, *model, *human]
    if agent.kind not in TALKING:
        return []
    found = [*_check_talking(agent), *_check_providers(agent)]
    if agent.kind == "model":
        found += _check_model(agent)
    if agent.kind == "scripted" or "script" in agent.dialogue:
        found += _check_script(agent)
    return found


def _check_talking(agent: Agent) -> Iterator[str]:
    yield from _all_known("replies", agent.replies, REPLIES, "reply")
    if agent.failures < 1:
        yield "failures: must be at least 1"
    yield from _check_turns(agent)
    for key, seconds in (("idle_seconds", agent.idle_seconds),
                         ("filler_seconds", agent.bridge_seconds)):  # fmt: skip
        if seconds <= 0:
            yield f"{key}: must be more than 0"
    if agent.max_seconds < 0:
        yield "max_seconds: must be more than 0; without it the trunk's max_seconds holds alone"
    for name, entry in agent.directory.items():
        if not entry.uri.startswith(("sip:", "sips:", "tel:", "+")):
            yield f"directory.{name}.uri: {entry.uri!r} is no sip:, sips: or tel: URI or +number"
    yield from _known("voice_activity", agent.voice_activity, WISHES, "detector")
    yield from _check_texts(agent)


def _check_texts(agent: Agent) -> Iterator[str]:
    yield from _template(agent, "greeting", agent.greeting)
    for name, text in agent.replies.items():
        if name in _UNFILLED:
            yield from (f"replies.{name}: {wrong}" for wrong in placeholders.mistakes(text, {}))
        else:
            yield from _template(agent, f"replies.{name}", text, names_who=name in _NAME_WHO)
    for n, text in enumerate(agent.idle_prompts):
        yield from _template(agent, f"idle_prompts[{n}]", text)
    for n, text in enumerate(agent.fillers or ()):
        yield from (f"fillers[{n}]: {wrong}" for wrong in placeholders.mistakes(text, {}))


def _check_turns(agent: Agent) -> Iterator[str]:
    least, most = PATIENCE
    if not least <= agent.patience <= most:
        yield f"patience: {agent.patience:g} is not from {least:g} to {most:g}; 1 is the usual"
    if not all(text.strip() for text in agent.must_be_heard):
        yield "must_be_heard: holds an empty text; write what the agent says, or a part of it"


def _check_providers(agent: Agent) -> Iterator[str]:
    for stage in STAGES:
        if not getattr(agent, stage):
            yield f"{stage}: name at least one provider"
        for name in getattr(agent, stage):
            yield from _provider(agent, stage, name)
    for name, account in agent.providers.items():
        known = {provider for stage in STAGES for provider in PROVIDERS[stage]}
        yield from _known(f"providers.{name}.provider", account.provider, known, "provider")
        for stage in STAGES:
            if not 0 < getattr(account, f"{stage}_seconds") <= _LONGEST[stage]:
                longest = f"at most {_LONGEST[stage]:g}: a caller waits"
                yield f"providers.{name}.{stage}_seconds: must be more than 0 and {longest}"
        yield from of_no_session(name, account)


def _provider(agent: Agent, stage: str, name: str) -> Iterator[str]:
    account = agent.providers.get(name, Account(provider=name))
    known = PROVIDERS[stage]
    if name in agent.providers and account.provider not in known:
        of_another = any(account.provider in one for one in PROVIDERS.values())
        if of_another or agent.kind in LIVE:  # else its account is told of
            yield f"{stage}: {name!r} is of provider {account.provider!r}, which has no {stage}"
    elif account.provider not in known:
        names = sorted({*known} - {*NEEDS_MODEL} | {*agent.providers})
        close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(names)}"
        yield f"{stage}: no provider {name!r}; {hint}"
    elif account.provider in NEEDS_MODEL and name not in agent.providers:
        yield f"{stage}: {name!r} needs a table [providers.{name}] that names its models"
    elif account.provider in NEEDS_MODEL and not (account.base_url or account.api_key):
        yield f"providers.{name}.api_key: is missing; write env:NAME or file:PATH, or a base_url"
    elif account.base_url and (why := no_url(account.base_url, "http", "URL")):
        yield f"providers.{name}.base_url: {why}"
    elif account.provider in NEEDS_MODEL and not getattr(account, f"{stage}_model"):
        yield f"providers.{name}.{stage}_model: is missing, and {stage} names {name!r}"
    elif account.provider in NEEDS_MODEL and stage == "synthesizer" and not account.voice:
        yield f"providers.{name}.voice: is missing, and synthesizer names {name!r}"


def _check_model(agent: Agent) -> Iterator[str]:
    if not agent.persona.strip():
        yield "persona: say who the agent is, what it may do and what not"
    if wrong := placeholders.misspelt(agent.persona, plain=True):
        yield f"persona: {wrong}"
    if not _LANGUAGE.fullmatch(agent.language):
        yield f"language: {agent.language!r} is no language tag such as en or en-US"
    yield from _told_human(agent)
    if agent.tool_calls < 0:
        yield "tool_calls: must be 0 or more"
    if agent.tool_repeats < 1:
        yield "tool_repeats: must be at least 1"
    for name in ("confirm", "confirm_again"):
        if "{what}" not in agent.reply(name):
            yield f"replies.{name}: must hold {{what}}, what the caller is to agree to"
    for name, tool in agent.tools.items():
        yield from _tool(f"tools.{name}", name, tool)
        if tool.confirm and not words_for(agent.language, agent.yes_words, agent.no_words):
            yield (
                f"tools.{name}.confirm: what is a yes in the language {agent.language!r}?"
                " Give yes_words and no_words"
            )


def _told_human(agent: Agent) -> Iterator[str]:
    if agent.directory or agent.human != _HUMAN:  # without any, callers are asked to call again
        yield from _known("human", agent.human, agent.directory, "directory entry")


def _tool(where: str, name: str, tool: ToolTable) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        yield f"{where}: a tool is named by letters, digits, _ and -"
    if name in BUILT_IN:
        yield f"{where}: every agent has a tool of this name already; choose another"
    if sum(map(bool, (tool.file, tool.module, tool.url))) != 1:
        yield f"{where}: one of file, module and url is wanted"
    if tool.url:
        yield from _webhook(where, tool)
    if tool.confirm_text and not tool.confirm:
        yield f"{where}.confirm_text: is said only with confirm = true"
    if tool.method not in _METHODS:
        yield f"{where}.method: {tool.method!r} is not one of {', '.join(_METHODS)}"
    if not 0 < tool.seconds <= _LONGEST_TOOL:
        yield f"{where}.seconds: more than 0 and at most {_LONGEST_TOOL:g}"
    yield from _all_known(f"{where}.optional", tool.optional, tool.parameters, "parameter")
    for key, value in tool.parameters.items():
        if not isinstance(value, str | list | dict):
            yield f"{where}.parameters.{key}: a description, a list of values or a JSON schema"


def _webhook(where: str, tool: ToolTable) -> Iterator[str]:
    try:
        webhook.key_of(tool.secret)
    except ValueError as error:  # without the secret itself
        yield f"{where}.secret: what follows whsec_ is no base64: {error}"
    if not tool.url.startswith(("http://", "https://")):
        yield f"{where}.url: {tool.url!r} is no http:// or https:// URL"
    if "{" in tool.url.partition("://")[2].partition("/")[0]:
        yield f"{where}.url: {tool.url!r} lets a caller choose the host; write it out"
    for key, text in (("url", tool.url), ("confirm_text", tool.confirm_text)):
        for place in set(_PLACE.findall(text)) - tool.parameters.keys():
            yield f"{where}.{key}: no parameter {place!r} for {{{place}}}"
    if not tool.description:
        yield f"{where}.description: tell the model what the webhook does and when to use it"


def _check_script(agent: Agent) -> Iterator[str]:
    if agent.states:
        yield from _known("start", agent.start, agent.states, "state")
    elif agent.kind == "model":
        yield (
            "dialogue: 'script' talks by states, and there are none; name an account of "
            "[providers] that has a dialogue_model"
        )
    else:
        yield 'kind: "scripted" talks by states: add [states.main], or write kind = "model"'
    yield from _human(agent)
    yield from _all_known("everywhere", agent.everywhere, agent.intents, "intent")
    yield from _all_known("keys", agent.keys.values(), agent.intents, "intent")
    for key in agent.keys.keys() - set("0123456789*#"):
        yield f"keys.{key}: a key is one of 0-9, * and #"
    for name, state in agent.states.items():
        yield from _state(agent, name, state)
    for name, intent in agent.intents.items():
        yield from _intent(agent, name, intent)
    for name, slot in agent.slots.items():
        yield from _slot(agent, name, slot)


def _human(agent: Agent) -> Iterator[str]:
    """Somebody must be there for a caller whom the script cannot help."""
    if agent.human in agent.directory:
        return
    others = ", ".join(map(repr, sorted(agent.directory)))
    yield (
        f"human: no directory entry {agent.human!r}, to whom a caller goes after too many failures"
        + (" (the default of human)" if agent.human == _HUMAN else "")
        + f': add [directory.{agent.human}] with uri = "sip:…"'
        + (f", or set human to one of {others}" if others else "")
    )


def _state(agent: Agent, name: str, state: State) -> Iterator[str]:
    where = f"states.{name}"
    yield from _all_known(f"{where}.intents", state.intents, agent.intents, "intent")
    for key, slot in (("slot", state.slot), ("keyed", state.keyed)):
        if slot:
            yield from _known(f"{where}.{key}", slot, agent.slots, "slot")
    if not (state.intents or state.slot or agent.everywhere):
        yield f"{where}: listens for nothing; give it intents or a slot"
    for key, text in (("ask", state.ask), ("help", state.help)):
        yield from _template(agent, f"{where}.{key}", text)


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
    yield from _template(agent, f"{where}.read_back", slot.read_back)
    for key, action in (("found", slot.found), ("missing", slot.missing)):
        yield from _action(agent, f"{where}.{key}", action)


def _action(agent: Agent, where: str, action: Action) -> Iterator[str]:
    if wrong := set(action.press) - set("0123456789*#ABCD"):
        yield f"{where}.press: {''.join(sorted(wrong))!r} is on no telephone: 0-9, *, #, A-D are"
    if action.recording:
        yield from _known(f"{where}.recording", action.recording, _RECORDING, "verb")
    if sum(map(bool, (action.go, action.transfer, action.hangup, action.repeat))) > 1:
        yield f"{where}: only one of go, transfer, hangup and repeat"
    if action.go:
        yield from _known(f"{where}.go", action.go, agent.states, "state")
    if action.transfer:
        yield from _known(f"{where}.transfer", action.transfer, agent.directory, "directory entry")
    yield from _template(agent, f"{where}.say", action.say, names_who=bool(action.transfer))


def _phrases(where: str, phrases: Iterable[str]) -> Iterator[str]:
    for phrase in phrases:
        try:
            grammar.parse(phrase)
        except grammar.PhraseError as error:
            yield f"{where}.phrases: {error}"


def _template(agent: Agent, where: str, text: str, *, names_who: bool = False) -> Iterator[str]:
    names = _names(agent)
    if names_who:
        names["who"] = frozenset()
    if agent.kind in ("model", *LIVE):  # whose texts are filled with the variables of each call
        found = [placeholders.misspelt(text, ("who",) * names_who)]
    else:
        found = [*placeholders.mistakes(text, names)]
    yield from (f"{where}: {wrong}" for wrong in found if wrong)


def _names(agent: Agent) -> dict[str, frozenset[str]]:
    """Gather what a script fills in: slots and the wish, and the columns of tables."""
    plain: dict[str, frozenset[str]] = dict.fromkeys((*agent.slots, "intent"), frozenset())
    columns = {
        table: frozenset(column for row in rows.values() for column in row)
        for table, rows in agent.data.items()
    }
    return plain | columns


def _all_known(where: str, names: Iterable[str], known: Iterable[str], what: str) -> Iterator[str]:
    for name in names:
        yield from _known(where, name, known, what)


def _known(where: str, name: str, known: Iterable[str], what: str) -> Iterator[str]:
    if name not in known:
        yield f"{where}: no {what} {name!r}; known are {', '.join(sorted(known)) or 'none'}"
