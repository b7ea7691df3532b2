"""The scripted dialogue: states, intents and slots of an agent's file decide what is said."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from opensip.agent import grammar
from opensip.agent.definition import Action, Agent, Slot, State, with_digits
from opensip.agent.providers import (
    Act,
    Brief,
    Expectation,
    HangUp,
    Looked,
    Meant,
    Press,
    Record,
    Say,
    Transfer,
    Understood,
)
from opensip.agent.readings import Readings
from opensip.agent.spoken import Row, fill
from opensip.agent.tools.table import look_up
from opensip.errors import ToolError

_DIGITS_SILENCE = 0.8  # people pause between the digits of a number
_YES_NO_SILENCE = 0.45
_SILENCE = 0.55
_YES = grammar.parse(
    "yes | yeah | yep | correct | right | exactly | that's right | that is right |"
    " that's correct | that is correct | yes (that's right | that's correct | that is right)"
)
_NO = grammar.parse(
    "no | nope | wrong | that's wrong | that is wrong | no (that's wrong | that is wrong)"
)


@dataclass(slots=True)
class Script:
    """One call's way through an agent's states. Reads no clock and does no I/O."""

    agent: Agent
    state: str = ""
    to_confirm: str = ""  # digits heard that await a yes
    failures: int = 0
    idles: int = 0
    readings: Readings = field(default_factory=Readings)
    values: dict[str, Any] = field(default_factory=dict)
    _last: str = ""
    _phrases: dict[str, tuple[grammar.Phrase, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.state = self.state or self.agent.start
        for name, intent in self.agent.intents.items():
            self._phrases[name] = tuple(grammar.parse(phrase) for phrase in intent.phrases)
        for name, slot in self.agent.slots.items():
            self._phrases[f"slot {name}"] = tuple(
                grammar.parse(with_digits(phrase, slot.digits)) for phrase in slot.phrases
            )

    # ---- the Dialogue protocol

    def expectation(self) -> Expectation:
        """Tell what the present state listens for."""
        slot = self._slot()
        phrases = [*self._slot_phrases(), *self._intent_phrases()]
        silence = _DIGITS_SILENCE if self._here.slot else _SILENCE
        if self.to_confirm:
            phrases, silence = [_YES, _NO, *phrases], _YES_NO_SILENCE
        return Expectation(
            jsgf=grammar.to_jsgf(phrases),
            complete=lambda text: grammar.match(phrases, text) is not None,
            keys=slot.digits if slot else 0,
            end_silence=silence,
        )

    async def open(self) -> AsyncIterator[Act]:
        """Greet, and ask what the first state asks."""
        for act in self._say(self.agent.greeting, self._here.ask):
            yield act

    async def answer(self, turn: Understood) -> AsyncIterator[Act]:
        """Answer what was said or keyed."""
        self.idles = 0
        for act in self._keyed(turn.text) if turn.way == "dtmf" else self._spoken(turn):
            yield act

    async def idle(self) -> AsyncIterator[Act]:
        """Ask whether somebody is there; end the call the second time."""
        self.idles += 1
        if self.idles > 1:
            for act in self._say(self.agent.reply("nobody")):
                yield act
            yield HangUp("the caller was silent")
        else:
            for act in self._say(self.agent.reply("still_there"), self._here.help):
                yield act

    async def transfer_failed(self, words: str) -> AsyncIterator[Act]:
        """Say that nobody could be reached, and go on from the start."""
        self.failures = 0
        self._forget_number()
        self.state = self.agent.start
        who = self.agent.who(self.agent.human)
        template = words or self.agent.reply("transfer_failed")
        for act in self._say(template, self.agent.reply("resume"), who=who):
            yield act

    def heard(self, text: str, *, interrupted: bool) -> None:
        """Scripts say the same whatever was heard."""

    async def prepare(self) -> None:
        """There is nothing to make ready."""

    async def close(self) -> Sequence[Act]:
        """There is nothing to end."""
        return ()

    # ---- turns

    def _spoken(self, turn: Understood) -> Iterator[Act]:
        if self.to_confirm and grammar.match([_YES], turn.text):
            yield Meant("yes", turn.confidence, self._wish() or self._slot_name())
            yield from self._look_up(self.to_confirm, turn.confidence)
        elif self.to_confirm and grammar.match([_NO], turn.text):
            yield Meant("no", turn.confidence, self._wish())
            yield from self._refused(turn.confidence)
        elif numbers := [*self._numbers(turn)]:
            yield from self._number(self.readings.heard(numbers), turn.confidence)
        elif name := self.intent_of(turn.text):
            yield from self._intended(name, turn.confidence)
        else:
            yield from self._failed(self._here.help, self.agent.reply("not_understood"))

    def _keyed(self, keys: str) -> Iterator[Act]:
        slot = self._slot()
        if slot and len(keys) == slot.digits and keys.isdigit():
            yield from self._look_up(keys, 1.0)
        elif keys in self.agent.keys:
            yield from self._intended(self.agent.keys[keys], 1.0)
        else:
            yield from self._failed(self._here.help, self.agent.reply("not_understood"))

    def _forget_number(self) -> None:
        self.to_confirm = ""
        self.readings.clear()

    def _numbers(self, turn: Understood) -> Iterator[str]:
        """Give the number that was said, and what else it may have been."""
        for text in (turn.text, *turn.others):
            found = grammar.match(self._slot_phrases(), text)
            if found:
                yield grammar.digits_in(found["digits"])
            elif text == turn.text:
                return  # no number was said, though it might have sounded like one

    def _refused(self, confidence: float) -> Iterator[Act]:
        """Offer what else the number may have been, or have it said again."""
        wrong, self.to_confirm = self.to_confirm, ""
        if other := self.readings.refuse(wrong):
            yield from self._number(other, confidence)
        else:
            yield from self._failed(self._here.ask)

    def _number(self, digits: str, confidence: float) -> Iterator[Act]:
        slot, name = self._slot(), self._slot_name()
        if slot is None or not slot.read_back:
            yield from self._look_up(digits, confidence)
            return
        yield Meant(name, confidence, self._wish() or name, {name: digits})
        self.to_confirm = digits
        self.values[name] = digits
        yield from self._say(slot.read_back)

    def _look_up(self, digits: str, confidence: float) -> Iterator[Act]:
        slot, name = self._slot(), self._slot_name()
        self._forget_number()
        self.values[name] = digits
        yield Meant(name, confidence, self._wish() or name, {name: digits})
        if slot is None:
            return
        try:
            row = look_up(self.agent, slot.table, digits) if slot.table else {}
        except ToolError as error:
            yield Looked("look_up", {"table": slot.table, "key": digits}, None, error=str(error))
            row = None
        else:
            if slot.table:
                yield Looked("look_up", {"table": slot.table, "key": digits}, row)
        if row is None:
            yield from self._failed(slot.missing.say, action=slot.missing)
        else:
            self.failures = 0
            self.values[slot.table] = Row(**{k: str(v) for k, v in row.items()})
            yield from self._do(slot.found, confidence)

    def _intended(self, name: str, confidence: float) -> Iterator[Act]:
        self.failures = 0
        self._forget_number()
        if self._is_wish(self.agent.intents[name].action):
            self.values["intent"] = name
        yield Meant(name, confidence, self._wish())
        yield from self._do(self.agent.intents[name].action, confidence, name)

    def _do(self, action: Action, confidence: float, intent: str = "") -> Iterator[Act]:
        if action.recording:
            yield Record(action.recording == "resume")
        if action.press:
            yield from self._say(action.say)
            yield Press(action.press)
            action = replace(action, say="")
        if action.repeat:
            yield Say(self._last)
        elif action.transfer:
            yield from self._transfer(action.transfer, confidence, "the caller asked", action.say)
        elif action.hangup:
            yield from self._say(action.say)
            yield HangUp(intent or "said goodbye")
        elif action.go:
            self.state = action.go
            yield from self._say(action.say, self._here.ask)
        else:
            yield from self._say(action.say)

    def _failed(self, more: str, first: str = "", action: Action | None = None) -> Iterator[Act]:
        """Count a turn that led nowhere; after too many in a row a human takes over."""
        self.failures += 1
        if self.failures >= self.agent.failures:
            why = f"{self.failures} failures in a row"
            apology = more if action else first
            yield from self._transfer(self.agent.human, 0.0, why, before=apology)
        else:
            if action and action.go:
                self.state = action.go
            yield from self._say(first, more, self._here.ask if action and action.go else "")

    def _transfer(
        self, target: str, confidence: float, why: str, say: str = "", before: str = ""
    ) -> Iterator[Act]:
        self.failures = 0
        words = say or self.agent.reply("escalate")
        yield from self._say(before, words, who=self.agent.who(target))
        yield Transfer(target, self._wish(), confidence, why)

    # ---- what is where

    @property
    def _here(self) -> State:
        return self.agent.states[self.state]

    def _slot_name(self) -> str:
        return self._here.slot or self._here.keyed

    def _slot(self) -> Slot | None:
        return self.agent.slots.get(self._slot_name())

    def _slot_phrases(self) -> tuple[grammar.Phrase, ...]:
        return self._phrases.get(f"slot {self._here.slot}", ())

    def _listened(self) -> Iterator[str]:
        yield from dict.fromkeys((*self._here.intents, *self.agent.everywhere))

    def _intent_phrases(self) -> Iterator[grammar.Phrase]:
        for name in self._listened():
            yield from self._phrases[name]

    def intent_of(self, text: str) -> str:
        """Tell which intent of those listened for now has this text; "" if none."""
        found = (name for name in self._listened() if grammar.match(self._phrases[name], text))
        return next(found, "")

    def _is_wish(self, action: Action) -> bool:
        """Who asks for a human, hears a thing again or leaves still wants what he wanted."""
        if action.repeat or action.hangup:
            return False
        return action.transfer != self.agent.human or not self._wish()

    def _wish(self) -> str:
        return str(self.values.get("intent", ""))

    def _say(self, *templates: str, **more: str) -> Iterator[Act]:
        texts = [
            fill(text, {**self.values, **more}, self.agent.language) for text in templates if text
        ]
        if texts:
            self._last = " ".join(texts)
            yield Say(self._last)


def make(brief: Brief) -> Script:
    """Make the dialogue of one call."""
    return Script(brief.agent)
