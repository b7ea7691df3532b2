"""An agent as its TOML file defines it.

The dataclasses are the schema: field names are keys, defaults are defaults. `kind` says what runs:
"model" talks by a language model with tools, "scripted" by states and intents, "realtime" by a
model that hears and speaks itself; "stream" is a bot elsewhere, "echo" and "tone" are for line
tests. `agent/check.py` names the mistakes of such a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from opensip.agent import replies
from opensip.agent.tongues import primary

KINDS = ("model", "scripted", "realtime", "stream", "echo", "tone")
TALKING = ("model", "scripted")  # kinds that need providers
LIVE = ("realtime", "stream")  # kinds whose providers hear and speak at once
LINE_TESTS = ("echo", "tone")  # kinds without words; agents of these names need no file
_WAIT = 0.7  # seconds before a filler that the file has
_LATE = 1.4  # seconds before one of ours: an answer that takes as long as usual needs none
_ENGLISH = "embedded"  # the voice that speaks nothing else


@dataclass(frozen=True, slots=True)
class Account:
    """`[providers.NAME]`: a service that agents name in their lists of providers.

    `provider` is what speaks with it, `base_url` where it is (empty: the vendor's own), the
    models and the voice are its own names. `options` go into each request to the model as they
    stand, `recognizer_options` into a session of transcription (`recognizer_api` "realtime").
    Seconds bound each stage: the transcript, each next word, each next piece of speech; in speech
    to speech the opening, and the first sound of an answer.

    A bot of one's own (provider "stream") is at the WebSocket `base_url` and speaks `protocol`;
    {name} in its `parameters` stands for a variable of the call. Where it closes its socket, the
    call ends, or goes to who is next in the agent's list and at last to its human; there it goes
    too where nothing is heard of the bot within `first_sound_seconds` (0: it may be silent).
    """

    provider: str = "openai"
    base_url: str = ""
    api_key: str = field(default="", repr=False, metadata={"secret": True})
    recognizer_model: str = ""
    recognizer_api: Literal["transcriptions", "realtime"] = "transcriptions"
    recognizer_stream: bool = False
    recognizer_rate: int = 16000
    recognizer_seconds: float = 5.0
    recognizer_format: Literal["pcmu", "pcma", "pcm"] = "pcmu"
    recognizer_turns: Literal["ours", "server_vad", "semantic_vad"] = "ours"
    recognizer_options: Mapping[str, Any] = field(default_factory=dict)
    dialogue_model: str = ""
    dialogue_api: Literal["chat", "responses"] = "chat"
    dialogue_seconds: float = 5.0
    synthesizer_model: str = ""
    synthesizer_rate: int = 24000
    synthesizer_seconds: float = 4.0
    voice: str = ""
    voice_instructions: str = ""
    realtime_model: str = ""
    realtime_format: Literal["pcmu", "pcma", "pcm"] = "pcmu"
    realtime_seconds: float = 2.5
    protocol: Literal["twilio", "bandwidth"] = "twilio"
    parameters: Mapping[str, str] = field(default_factory=dict)
    when_closed: Literal["hang_up", "fall_back"] = "hang_up"
    first_sound_seconds: float = 20.0
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToolTable:
    """`[tools.NAME]`: a Python function of `file` or `module`, or a webhook at `url`.

    A function tells its own description and parameters; a webhook's are given here, a parameter
    as its description or as the list of its values, and those in `optional` may be left out.
    `changes` says that the tool does more than look; `confirm` that the caller must have said yes
    to what `confirm_text` says that it does, with {name} of its parameters.
    """

    file: Path | None = None
    module: str = ""
    function: str = ""
    url: str = ""
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    bearer: str = field(default="", repr=False, metadata={"secret": True})
    secret: str = field(default="", repr=False, metadata={"secret": True})
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    optional: tuple[str, ...] = ()
    changes: bool = False
    confirm: bool = False
    confirm_text: str = ""
    seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Entry:
    """Whom the agent may transfer to: a sip:, sips: or tel: URI or +number, and its name aloud.

    `when` tells a model which callers belong there.
    """

    uri: str
    spoken: str = "a colleague"
    when: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """What answers an intent: words, then keys to `press`, then at most one of the others.

    `recording`, "pause" or "resume", comes before all.
    `say` is a template: {order}, {order:digits}, {orders.item} (of the row looked up last).
    """

    say: str = ""
    press: str = ""
    recording: str = ""
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
class Variant:
    """`[numbers."+1…"]`: what is other for those who call that number; left out, nothing is."""

    language: str = ""
    greeting: str = ""
    voice: str = ""
    recognizer: tuple[str, ...] = ()
    synthesizer: tuple[str, ...] = ()
    fillers: tuple[str, ...] | None = None
    idle_prompts: tuple[str, ...] = ()
    replies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Agent:
    """A whole agent. Times in seconds; provider lists are tried from the first.

    `fillers` are said in turn when nothing could be said for `filler_seconds` (by default 0.7);
    `tool_calls` and `tool_repeats` (of the same with the same arguments) bound a whole call.
    `yes_words` and `no_words`, beside those of the language, answer what must be agreed to.
    `patience` scales the silences after which a turn of the caller is over; the texts of
    `must_be_heard` are not interrupted. `providers` names accounts beside those of the server.
    After `max_seconds` the agent says goodbye (0: never).
    """

    name: str
    kind: str = "scripted"
    language: str = "en"
    persona: str = ""
    vocabulary: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    press_keys: bool = False
    pause_recording: bool = False
    tools: Mapping[str, ToolTable] = field(default_factory=dict)
    tool_calls: int = 30
    tool_repeats: int = 5
    yes_words: tuple[str, ...] = ()
    no_words: tuple[str, ...] = ()
    fillers: tuple[str, ...] | None = None
    filler_seconds: float | None = None
    idle_prompts: tuple[str, ...] = ()
    providers: Mapping[str, Account] = field(default_factory=dict)
    start: str = "main"
    greeting: str = ""
    voice: str = "rms"
    voice_activity: str = "auto"
    recognizer: tuple[str, ...] = ("embedded",)
    dialogue: tuple[str, ...] = ("script",)
    synthesizer: tuple[str, ...] = ("embedded",)
    realtime: tuple[str, ...] = ()
    everywhere: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    failures: int = 2
    human: str = "human"
    idle_seconds: float = 8.0
    max_seconds: float = 0.0
    patience: float = 1.0
    must_be_heard: tuple[str, ...] = ()
    numbers: Mapping[str, Variant] = field(default_factory=dict)
    replies: Mapping[str, str] = field(default_factory=dict)
    states: Mapping[str, State] = field(default_factory=dict)
    intents: Mapping[str, Intent] = field(default_factory=dict)
    slots: Mapping[str, Slot] = field(default_factory=dict)
    directory: Mapping[str, Entry] = field(default_factory=dict)
    data: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)

    @property
    def speaks_language(self) -> bool:
        """Whether a voice may know the agent's language: the embedded one knows only English."""
        ours = primary(self.language) == "en"
        return ours or any(name != _ENGLISH for name in self.synthesizer)

    @property
    def bridges(self) -> tuple[str, ...]:
        """What bridges a wait: the file's fillers, else ours of a model or bot, in its language."""
        if self.fillers is not None:
            return self.fillers
        ours = self.speaks_language and self.kind in ("model", *LIVE)
        return replies.fillers(self.language) if ours else ()

    @property
    def bridge_seconds(self) -> float:
        """How long a wait is before it is bridged, from the end of the caller's turn."""
        if self.filler_seconds is not None:
            return self.filler_seconds
        return _WAIT if self.fillers else _LATE

    def at(self, number: str) -> "Agent":
        """Give the agent as callers of `number` (E.164) meet it."""
        variant = self.numbers.get(number)
        if variant is None:
            return self
        given = {one.name: getattr(variant, one.name) for one in fields(variant)}
        met = replace(self, **{key: value for key, value in given.items() if value})
        if primary(met.language) == primary(self.language):
            return replace(met, replies={**self.replies, **variant.replies})
        foreign = {name: getattr(variant, name) for name in ("replies", "fillers", "idle_prompts")}
        return replace(met, **foreign)  # better our words in their language than ours in another

    def who(self, entry: str) -> str:
        """Tell how an entry of the directory is named to callers; "a colleague" is nobody known."""
        spoken = self.directory[entry].spoken if entry in self.directory else ""
        return spoken or "a colleague"

    def reply(self, name: str) -> str:
        """Tell the template of a standing reply: the file's, else ours."""
        language = self.language if self.speaks_language else "en"
        return self.replies.get(name) or replies.reply(name, language)


def with_digits(phrase: str, digits: int) -> str:
    """Put the grammar's own form in place of {digits}."""
    return phrase.replace("{digits}", f"<digits:{digits}>")
