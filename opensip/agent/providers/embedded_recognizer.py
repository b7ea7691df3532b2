"""The embedded recognizer: pocketsphinx with a grammar, in a process of its own. No network."""

import asyncio
import contextlib
import importlib.util
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any, cast

import numpy as np

from opensip.agent import grammar
from opensip.agent.providers import Brief, Expectation, Understood
from opensip.audio.frame import Samples
from opensip.audio.resample import resample
from opensip.errors import MissingExtra, ProviderError

_RATE, _MODEL_RATE = 8000, 16000
# Vocal tracts differ in length: the model hears each turn as it is, longer and shorter, and the
# reading that fits best is taken. It halves the mistakes, for women's voices more than that.
_WARPS = (1.0, 0.88, 1.12)
_FEW_WORDS = 3
_LONGEST = 20 * _RATE  # samples; a turn is cut here by turn-taking too
_SHORTEST = int(0.12 * _RATE)  # less than this holds no word
_WORST, _BEST = -3.8, -1.8  # scores of words forced on what they are not, and of a good fit
_SURE = -2.6  # words that fit so well need no other length
_DOUBTFUL = -3.5  # words that fit no better must be what another length gave too
_WORST_WORD = -8.8  # one word that does not fit spoils the rest
_COVERAGE = 0.9  # of the voice must be words; what is left out was something else
_ALIKE = 0.75  # share of the words of two readings that are the same, in the same order
_FEW_WORST = -5.3  # a word or two fit loosely even when they are right
_FEW_COVERAGE = 0.75  # and a breath beside them is a great share
_DIGITS_WORST, _DIGITS_DOUBTFUL = -4.6, -4.2  # bare digits fit loosely too; they are read back
_UNHEARD = 0.05  # what a reading lacks where the search did not come upon it; most lack 0 to 0.1
_CROWD = 4  # turns that wait; then one length must do, for nobody is to wait for seconds
_SECONDS = 10.0  # a decode that takes longer will not end
_STARTING = 20.0  # and for the process to begin, on a machine that has much else to do


class DecoderProcess:
    """The decoding process, shared by every call of this event loop; begun when first needed."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self._asking: set[asyncio.Task[dict[str, Any]]] = set()

    async def decode(self, jsgf: str, audio: bytes) -> dict[str, Any]:
        """Recognise a turn of 16 kHz audio. Raises ProviderError; the next call begins afresh."""
        # Who gives up waiting must not leave an answer behind for the next one to take.
        answer = await asyncio.shield(self._begin(jsgf, audio))
        if "error" in answer:
            raise ProviderError(answer["error"], provider="embedded")
        return answer

    @property
    def crowded(self) -> bool:
        """Whether so many turns wait that each should ask for less."""
        return len(self._asking) >= _CROWD

    async def _ask_alone(self, jsgf: str, audio: bytes) -> dict[str, Any]:
        async with self._lock:
            try:
                async with asyncio.timeout(_SECONDS + (0.0 if self._alive else _STARTING)):
                    return await self._ask(jsgf, audio)
            except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
                await self._end()
                text = f"the decoder failed: {error or type(error).__name__}"
                raise ProviderError(text, provider="embedded", retryable=True) from error

    def wake(self, jsgf: str) -> None:
        """Begin the process, and let it read a grammar that will be asked for soon."""
        self._begin(jsgf, b"")

    def _begin(self, jsgf: str, audio: bytes) -> asyncio.Task[dict[str, Any]]:
        asking = asyncio.create_task(self._ask_alone(jsgf, audio))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        asking.add_done_callback(_forget_error)
        return asking

    async def close(self) -> None:
        """End the process, and whoever still waits for it."""
        asking = [*self._asking]
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await self._end()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    @property
    def _alive(self) -> asyncio.subprocess.Process | None:
        process = self._process
        return process if process and process.returncode is None else None

    async def _ask(self, jsgf: str, audio: bytes) -> dict[str, Any]:
        process = self._alive
        if process is None:
            process = self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "opensip.agent.providers.decoder_process",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
        stdin = cast(asyncio.StreamWriter, process.stdin)
        stdout = cast(asyncio.StreamReader, process.stdout)
        stdin.write(json.dumps({"jsgf": jsgf, "bytes": len(audio)}).encode() + b"\n" + audio)
        await stdin.drain()
        line = await stdout.readuntil()
        answer: dict[str, Any] = json.loads(line)
        return answer


def _forget_error(asking: asyncio.Task[dict[str, Any]]) -> None:
    """Take an error that nobody waits for any more."""
    if not asking.cancelled():
        asking.exception()


_processes: dict[asyncio.AbstractEventLoop, DecoderProcess] = {}


def shared_process() -> DecoderProcess:
    """Give the decoding process of the running event loop."""
    loop = asyncio.get_running_loop()
    for dead in [other for other in _processes if other.is_closed()]:
        del _processes[dead]
    return _processes.setdefault(loop, DecoderProcess())


async def close_shared() -> None:
    """End the decoding process of the running loop, if one was begun."""
    if process := _processes.pop(asyncio.get_running_loop(), None):
        await process.close()


class EmbeddedRecognizer:
    """Collects a turn as it is spoken and has it decoded when asked."""

    rate = _RATE

    def __init__(
        self, process: DecoderProcess | None = None, *, warps: Sequence[float] = _WARPS
    ) -> None:
        if importlib.util.find_spec("pocketsphinx") is None:
            raise MissingExtra("speech", "the embedded recognizer")
        self._process = process
        self._warps = warps
        self._expectation = Expectation()
        self._samples: list[Samples] = []

    def begin(self, expectation: Expectation) -> None:
        """Begin a new turn; the decoder is woken while the caller still speaks."""
        self._expectation, self._samples = expectation, []
        (self._process or shared_process()).wake(expectation.jsgf)

    def feed(self, samples: Samples) -> None:
        """Take audio at 8 kHz."""
        if sum(map(len, self._samples)) < _LONGEST:
            self._samples.append(samples)

    async def finish(self) -> Understood:
        """Decode what was fed."""
        heard = np.concatenate(self._samples) if self._samples else np.empty(0, np.int16)
        if len(heard) < _SHORTEST or not self._expectation.jsgf:
            return Understood("", 0.0)
        process = self._process or shared_process()
        complete = self._expectation.complete or bool
        answers: list[dict[str, Any]] = []
        for warp in self._warps:
            audio = resample(heard, _RATE, round(_MODEL_RATE * warp))
            answers.append(await process.decode(self._expectation.jsgf, audio.tobytes()))
            text, score = answers[-1]["text"], answers[-1]["score"]
            # A "no" stretched long enough fits a "yeah".
            sure = score >= _SURE or len(text.split()) < _FEW_WORDS
            if complete(text) and (sure or (process.crowded and weighed(answers[-1]).text)):
                break
        return chosen(answers, complete)

    async def close(self) -> None:
        """Let the turn go; the process is shared and stays."""
        self._samples = []


def alike(one: str, other: str) -> bool:
    """Tell whether two readings differ by a word at most in four: "it is" for "this is"."""
    return SequenceMatcher(None, one.split(), other.split()).ratio() >= _ALIKE


def chosen(answers: list[dict[str, Any]], complete: Callable[[str], object]) -> Understood:
    """Take of the decoder's answers, one for each length, the sentence that fits best."""
    found = sorted(
        (answer for answer in answers if complete(answer["text"])),
        key=lambda answer: float(answer["score"]),
        reverse=True,
    )
    if not found:
        return Understood("", 0.0)
    like = sum(alike(answer["text"], found[0]["text"]) for answer in found)
    best = weighed(found[0], alone=like == 1 and len(answers) > 1)
    if not best.text:
        return best
    nearly = {text for answer in answers for text in answer["nearly"] if complete(text)}

    def lost(text: str) -> tuple[float, str]:
        return sum(min(_UNHEARD, a["nearly"].get(text, _UNHEARD)) for a in answers), text

    # The best of another length is likelier than what no length liked best.
    likely = dict.fromkeys([answer["text"] for answer in found] + sorted(nearly, key=lost))
    return replace(best, others=tuple(likely)[1:])


def weighed(answer: dict[str, Any], *, alone: bool = False) -> Understood:
    """Weigh an answer of the decoder."""
    fit = answer["score"], answer["worst"], answer["coverage"]
    return understood(answer["text"], *fit, alone=alone)


def understood(
    text: str, score: float, worst: float, coverage: float, *, alone: bool = False
) -> Understood:
    """Weigh words by how well they fit: a grammar forces its words on any noise.

    `alone` are words that were found at one length of the vocal tract, and at no other.
    """
    words = len(text.split())
    limit, least = _WORST, _COVERAGE
    doubtful = _DOUBTFUL if alone else limit
    if words < _FEW_WORDS:
        limit = doubtful = _FEW_WORST
        least = _FEW_COVERAGE
    elif len(grammar.digits_in(text)) == words:
        limit = _DIGITS_WORST
        doubtful = _DIGITS_DOUBTFUL if alone else limit
    if not text or score < doubtful or worst < _WORST_WORD or coverage < least:
        return Understood("", 0.0)
    return Understood(text, round(min(1.0, (score - limit) / (_BEST - limit)), 2))


def make(brief: Brief) -> EmbeddedRecognizer:
    """Make the recognizer of one call. Raises MissingExtra."""
    return EmbeddedRecognizer()
