"""Recogniser by a transcription session over a WebSocket (GET /realtime?intent=transcription).

Words come while they are said, of models that tell them so early; of others once a stretch of
voice is over. Who says so (`recognizer_turns`): our own ears (agent/pace.py), or the server.
"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import structlog

from opensip.agent.listening import cancelled
from opensip.agent.providers import Brief, Expectation, Heard, Understood
from opensip.agent.providers.openai.client import health_of
from opensip.agent.providers.openai.pieces import Pieces
from opensip.agent.providers.openai.realtime_events import text_of
from opensip.agent.providers.openai.realtime_line import TOLD, RealtimeLine
from opensip.agent.providers.openai.realtime_sound import RATES, described, encoded
from opensip.agent.providers.openai.transcript import Transcript
from opensip.audio.frame import Samples
from opensip.errors import ProviderError

log = structlog.get_logger(__name__)

_UP = 5.0  # seconds that a connection must have held, to be opened anew where it is lost
_EMPTY = "input_audio_buffer_commit_empty"  # nothing was left to be committed
_WORDS = "conversation.item.input_audio_transcription."


class OpenAiLiveRecognizer:
    """Hears one call: a `LiveRecognizer`, told of pauses where the turns are ours.

    A connection that is lost is opened anew at once, and sent again what was not yet understood;
    one that is lost again within 5 s, or that cannot be opened, has failed. The next turn tries.
    """

    def __init__(self, brief: Brief) -> None:
        account = brief.account
        self.name = brief.name
        self.rate = RATES[account.recognizer_format]
        self.health = health_of("recognizer", account)
        self.ends_turns = account.recognizer_turns != "ours"
        self._form = account.recognizer_format
        self._seconds = account.recognizer_seconds
        self._line = RealtimeLine(
            brief.name, account, query={"intent": "transcription"},
            session=session(brief), seconds=account.recognizer_seconds,
        )  # fmt: skip
        self._pieces = Pieces(self.rate, gated=not self.ends_turns)
        self._transcript = Transcript()
        self._commits = 0  # of ours that the server has yet to confirm
        self._speaking = False  # the caller, as the server judges
        self._tell: Callable[[Heard], None] = lambda heard: None
        self._failed: Callable[[ProviderError], None] = lambda error: None
        self._listening = False
        self._asked: asyncio.Future[None] | None = None
        self._finals: list[str] = []  # told to who asked
        self._task: asyncio.Task[None] | None = None
        self._patience: asyncio.Timeout | None = None  # while it is connected

    async def prepare(self) -> None:
        """Open the connection, and have the session set up."""
        await self._line.open()

    def listen(
        self, tell: Callable[[Heard], None], failed: Callable[[ProviderError], None]
    ) -> None:
        """Tell words from now on."""
        self._tell, self._failed, self._listening = tell, failed, True
        self._start()

    def begin(self, expectation: Expectation) -> None:
        """A turn begins; anything may be said, whatever is expected."""
        self._start()
        if not self._listening:  # it is fed this turn alone
            self.resume()

    def feed(self, samples: Samples) -> None:
        """Send what is of a voice, in pieces; of what is before it keep a moment."""
        piece = self._pieces.feed(samples)
        if piece is not None:
            self._send(piece)

    def resume(self) -> None:
        """Send what comes from now on, and the moment before."""
        self._pieces.open = True

    def pause(self) -> None:
        """Have transcribed what was sent; where the server judges pauses, it does by itself."""
        if not self.ends_turns and self._pieces.open:
            self._end_stretch()
            self._pieces.open = False

    def forget(self) -> None:
        """Let the server forget what was sent, unless there are words of it."""
        if self._transcript.partial:
            self.pause()
        elif not self.ends_turns and self._pieces.open:
            self._pieces.forget()
            self._line.put(lambda line: line.input_audio_buffer.clear())

    async def finish(self) -> Understood:
        """Wait for the words of what was sent, for at most `recognizer_seconds`."""
        self._start()
        self.pause()
        if self.ends_turns and not self._transcript.waiting:
            self._end_stretch()
        if self._is_idle():
            return Understood("", 0.0)
        self._finals, self._asked = [], asyncio.get_running_loop().create_future()
        try:
            await self._asked
            text = " ".join(filter(None, self._finals))
            self._finals = []
        finally:
            self._asked, finals = None, self._finals
            for final in finals:  # it was broken off: they are of the turn that goes on
                self._tell(Heard(final, final=True))
        return Understood(text, 1.0 if text else 0.0)

    async def close(self) -> None:
        """Close the connection."""
        await cancelled(self._task)
        await self._line.close()

    # ---- the connection

    def _start(self) -> None:
        """Connect and listen, unless that is being done."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        now = asyncio.get_running_loop().time
        while True:
            began = now()
            try:
                await self._connected()
            except ProviderError as error:
                await self._line.close()
                if not error.retryable or now() - began < _UP:
                    self._fail(error)
                    return
                log.info("recognizer_reconnected", provider=self.name, error=str(error))

    async def _connected(self) -> None:
        """Open the connection, send what waits to be understood, and read what comes."""
        await self._line.begin()
        self._transcript, self._commits, self._speaking = Transcript(), 0, False
        for piece in self._pieces.kept:
            self._put(piece)
        if self._pieces.kept and (self._asked or not (self.ends_turns or self._pieces.open)):
            self._commit()
        try:
            async with asyncio.timeout(None) as patience, aclosing(self._line.events()) as events:
                self._patience = patience
                self._wait()
                async for event in events:
                    self._line.read(event, self._read)
        except TimeoutError as error:
            text = f"{self._line.place}: no transcript within {self._seconds:g} s"
            raise ProviderError(text, provider=self.name) from error
        finally:
            self._patience = None

    def _fail(self, error: ProviderError) -> None:
        self._listening = False
        if self._asked and not self._asked.done():
            self._asked.set_exception(error)
        else:
            self._failed(error)

    # ---- what is sent

    def _send(self, piece: Samples) -> None:
        is_quiet = self._patience is not None and not self._speaking and self._is_idle()
        if self.ends_turns and is_quiet:
            self._pieces.kept.clear()  # silence, which nobody has to hear twice
        self._pieces.kept.append(piece)
        self._put(piece)

    def _put(self, piece: Samples) -> None:
        audio = encoded(piece, self._form)
        self._line.put(lambda line: line.input_audio_buffer.append(audio=audio))

    def _end_stretch(self) -> None:
        rest = self._pieces.rest()
        if rest is not None:
            self._send(rest)
        if self._pieces.kept:
            self._commit()

    def _commit(self) -> None:
        self._commits += 1
        self._pieces.commit()
        self._line.put(lambda line: line.input_audio_buffer.commit())
        self._wait()

    # ---- what comes

    def _read(self, event: Any) -> None:
        match event.type.removeprefix(_WORDS):
            case "delta":
                self._transcript.told(text_of(event.item_id), text_of(event.delta or ""))
                self._wait()
                self._tell_partial()
            case "completed":
                self._completed(text_of(event.item_id), text_of(event.transcript))
            case "failed":
                why = event.error.message or event.error.code or "no reason"
                raise ProviderError(
                    f"{self._line.place}: the transcription failed: {text_of(why)[:TOLD]}",
                    provider=self.name, retryable=True,
                )  # fmt: skip
            case "input_audio_buffer.speech_started":
                self._speaking = True
            case "input_audio_buffer.speech_stopped":
                self._speaking = False
            case "input_audio_buffer.committed":
                self._commits = max(0, self._commits - 1)
                self._transcript.committed(text_of(event.item_id))
                self._wait()
            case "error":
                self._complained(event.error)

    def _completed(self, item: str, text: str) -> None:
        if item not in self._transcript.waiting:  # a server that confirms nothing
            self._commits = max(0, self._commits - 1)
        finals = self._transcript.completed(item, text)
        self._wait()
        for final in finals:
            over = self.ends_turns and bool(final) and not self._speaking and self._is_idle()
            if self._asked:
                self._finals.append(final)
            else:
                self._tell(Heard(final, final=True, over=over))
        self._tell_partial()
        self._settle()

    def _complained(self, error: Any) -> None:
        code, why = str(error.code or ""), text_of(error.message)[:TOLD]
        if code == _EMPTY:
            self._commits = max(0, self._commits - 1)
            self._wait()
            self._settle()
        else:
            log.warning("realtime_error", provider=self.name, code=code, why=why)

    def _tell_partial(self) -> None:
        """Tell what is known so far while a voice is there; once it paused, all is near."""
        is_voiced = self._speaking if self.ends_turns else self._pieces.open
        if is_voiced and self._transcript.partial and not self._asked:
            self._tell(Heard(self._transcript.partial))

    def _settle(self) -> None:
        """Once all is understood, keep nothing of it, and let go who waits for that."""
        if not self._is_idle():
            return
        self._pieces.understood()
        if self._asked and not self._asked.done():
            self._asked.set_result(None)

    def _is_idle(self) -> bool:
        return not self._commits and not self._transcript.waiting

    def _wait(self) -> None:
        """Give the server its time anew, where it owes something."""
        if self._patience and not self._patience.expired():
            due = asyncio.get_running_loop().time() + self._seconds
            self._patience.reschedule(None if self._is_idle() else due)


def session(brief: Brief) -> dict[str, Any]:
    """Write the session that a call wants; `recognizer_options` have the last word, "" none."""
    account = brief.account
    wanted = {
        "model": account.recognizer_model,
        "language": brief.agent.language.partition("-")[0],
        "prompt": ", ".join(brief.agent.vocabulary),
        **account.recognizer_options,
    }
    ours = account.recognizer_turns == "ours"
    heard = {
        "format": described(account.recognizer_format),
        "transcription": {key: value for key, value in wanted.items() if value != ""},
        "turn_detection": None if ours else {"type": account.recognizer_turns},
    }
    return {"type": "transcription", "audio": {"input": heard}}
