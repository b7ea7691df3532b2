"""How well the embedded agent hears over SIP: the demo's agent, called by flite's voices.

A server of its own process answers over UDP with SRTP, mu-law at 8 kHz; the callers here speak into
whole calls, several at once. Intents: 12 phrases in three voices, one call each; right is the
intent of the caller's first turn, as the journal has it. Outside: 24 utterances that no phrase of
the agent covers, in turn by the three voices (with --all-outside by each); accepted is one that got
an intent, also when said where four digits are asked for. Digits: four-digit numbers, after "where
is my order"; by digit and by string as first heard, and by string after one read-back: "yes", or
"no" and the number once more. All the while one more call listens to a tone: the jitter that its
end saw, and the packets that it missed, are what recognising costs another call.
"""

import argparse
import asyncio
import json
import random
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from opensip.agent.grammar import digits_in
from opensip.agent.providers.shared import close_shared
from opensip.agent.spoken import digits
from opensip.audio.frame import Samples
from opensip.net.sip_transport import Listener
from opensip.phone.caller import Caller, CallerConfig
from opensip.phone.line import Line, LineConfig
from opensip.phone.script import Say, Wait
from opensip.phone.understanding import Answer, Understand
from opensip.phone.voice import voice_of
from opensip.sip.uri import NameAddr, Uri
from scripts.benches.embedded.words import OUTSIDE, PHRASES, VOICES
from scripts.benches.process import ROOT, free_port
from scripts.benches.server import opensip

CONFIG = """
data = "{data}"
agent_files = ["{root}/config/agents/shop.toml"]
[[sip.listeners]]
transport = "UDP"
host = "127.0.0.1"
port = {port}
[media]
address = "127.0.0.1"
first_port = 33000
last_port = 33998
[directory]
human = "sip:desk@127.0.0.1:1"
emergency = "sip:desk@127.0.0.1:1"
[trunks.local]
networks = ["127.0.0.0/8"]
srtp = "required"
[trunks.local.numbers]
shop = "shop"
tone = "tone"
"""


@dataclass(slots=True)
class Call:
    """What one caller says, and what the journal knows of it afterwards."""

    kind: str
    voice: str
    words: Sequence[str]
    wanted: str
    heard: list[dict] = field(default_factory=list)

    def intent(self, turn: int) -> str:
        """Tell the intent of a turn; "" where nothing was understood."""
        return str(self.heard[turn].get("intent") or "") if turn < len(self.heard) else ""


def calls(options: argparse.Namespace) -> list[Call]:
    """Lay out every call of the bench."""
    laid = [
        Call("intent", voice, [phrase], intent)
        for voice in VOICES
        for phrase, intent in PHRASES.items()
    ]
    for number, text in enumerate(OUTSIDE):
        for voice in VOICES if options.all_outside else (VOICES[number % len(VOICES)],):
            laid.append(Call("outside", voice, [text], ""))
            laid.append(Call("outside digits", voice, ["where is my order", text], ""))
    rng = random.Random(options.seed)
    for voice in VOICES:
        for _ in range(options.numbers):
            number = f"{rng.randrange(10_000):04}"
            words = ["where is my order", digits(number)]
            laid.append(Call("digits", voice, words, number))
    return [call for call in laid if not options.only or call.kind in options.only.split(",")]


class Journals:
    """The journals of a running server, found by the caller's name."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._known: dict[str, Path] = {}

    def events(self, name: str, kind: str) -> list[dict]:
        """Read the events of a kind in the journal of the call from `name`."""
        if name not in self._known:
            for path in self._directory.glob("journals/*.jsonl"):
                if f"sip:{name}@" in path.read_text():
                    self._known[name] = path
        text = self._known[name].read_text() if name in self._known else ""
        found = (json.loads(line) for line in text.splitlines(keepends=True) if line[-1] == "\n")
        return [event for event in found if event["kind"] == kind]

    def understand(self, name: str) -> Understand:
        """Make a caller's ear that knows what was made of its words."""

        async def understand(samples: Samples, rate: int, *, said: str) -> Answer:
            last = self.events(name, "caller_said")[-1:]
            number = digits_in(last[0]["text"]) if last and digits_in(said) else ""
            return Answer(misunderstood=not last or not last[0]["text"], digits=number)

        return understand


async def place(call: Call, number: int, line: Line, port: int, journals: Journals) -> None:
    """Make a call; what was heard wrong, of a number, is said once more."""
    name = f"caller{number}x"
    config = CallerConfig(
        to=Uri.parse(f"sip:shop@127.0.0.1:{port}"),
        from_=NameAddr.parse(f"<sip:{name}@127.0.0.1>"),
        steps=(*(Say(text, (text,)) for text in call.words), Wait(0.1)),
        linger=0.0,
    )
    ear = journals.understand(name) if call.kind == "digits" else None
    speak, report = voice_of(call.voice), lambda what, **more: None
    await Caller(line, config, speak=speak, report=report, understand=ear).run()
    call.heard = journals.events(name, "caller_said")


async def listen_to_a_tone(line: Line, port: int) -> None:
    """Hold the call that must not suffer, until the server ends it."""
    config = CallerConfig(
        to=Uri.parse(f"sip:tone@127.0.0.1:{port}"),
        from_=NameAddr.parse("<sip:listener@127.0.0.1>"),
        steps=(Wait(3600.0),),
    )
    await Caller(line, config, speak=voice_of("rms"), report=lambda what, **more: None).run()


async def run(laid: list[Call], at_once: int, port: int, journals: Journals) -> None:
    """Place every call, some at once, beside the one that listens."""
    free = asyncio.Semaphore(at_once)

    async def one(number: int, call: Call) -> None:
        async with free:
            await place(call, number, line, port, journals)
        print(".", end="", flush=True)

    config = LineConfig(
        address="127.0.0.1", srtp="required", listeners=(Listener("UDP", "127.0.0.1", 0),)
    )
    async with Line(config) as line:
        listening = asyncio.create_task(listen_to_a_tone(line, port))
        await asyncio.gather(*(one(*numbered) for numbered in enumerate(laid)))
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    await close_shared()
    print()


def digits_right(call: Call) -> tuple[int, bool, bool]:
    """Tell how many digits were right at first, whether all were, and whether they are at last."""
    hearings = [digits_in(turn["text"]) for turn in call.heard[1:] if turn["intent"] != "no"]
    first, last = [*hearings, "", ""][:2]
    right = sum(a == b for a, b in zip(first, call.wanted, strict=False))
    return right, first == call.wanted, call.wanted in (first, last)


def report(laid: list[Call], other: dict[str, float]) -> None:
    """Print what went wrong, and the last line."""
    keys: dict[str, float] = {}
    intents = [call for call in laid if call.kind == "intent"]
    keys["intents"] = len(intents)
    keys["intents_right"] = sum(call.intent(0) == call.wanted for call in intents)
    for kind, turn in (("outside", 0), ("outside digits", 1)):
        mine = [call for call in laid if call.kind == kind]
        name = kind.replace(" ", "_")
        keys[name] = len(mine)
        keys[f"{name}_accepted"] = sum(bool(call.intent(turn)) for call in mine)
    numbers = [(call, *digits_right(call)) for call in laid if call.kind == "digits"]
    if numbers:
        keys["digits_pct"] = round(25 * statistics.mean(right for _, right, _, _ in numbers), 1)
        keys["strings_pct"] = round(100 * statistics.mean(first for _, _, first, _ in numbers), 1)
        keys["strings_read_back_pct"] = round(100 * statistics.mean(n[3] for n in numbers), 1)
    for call in laid:
        wrong = {
            "intent": call.intent(0) != call.wanted,
            "outside": bool(call.intent(0)),
            "outside digits": bool(call.intent(1)),
            "digits": not digits_right(call)[1],
        }
        if wrong[call.kind]:
            heard = [(turn["text"], turn["confidence"]) for turn in call.heard]
            print(f"  {call.kind}, {call.voice}, {call.words[-1]!r}: heard {heard}")
    print(json.dumps(keys | other))


def main() -> None:
    """Make the calls, read the journals, print."""
    parser = argparse.ArgumentParser(prog="scripts/bench embedded", description="hearing over SIP")
    parser.add_argument("--numbers", type=int, default=8, help="four-digit numbers a voice")
    parser.add_argument("--at-once", type=int, default=8, help="calls")
    parser.add_argument("--only", default="", help="intent, outside, outside digits or digits")
    parser.add_argument("--all-outside", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(__doc__)
    laid = calls(options)
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        journals, config = Journals(directory), directory / "opensip.toml"
        config.write_text(CONFIG.format(data=directory, root=ROOT, port=port))
        with opensip(config, core=None):
            asyncio.run(run(laid, options.at_once, port, journals))
        statistic = journals.events("listener", "media_statistics")
    counters = statistic[-1]["counters"] if statistic else {}
    other = {
        "other_call_jitter_ms": counters.get("peer_jitter_ms", -1.0),
        "other_call_lost": counters.get("peer_lost", -1),
        "other_call_sent": counters.get("sent", 0),
        "other_call_reports": counters.get("rtcp_received", 0),
    }
    report(laid, other)


if __name__ == "__main__":
    main()
