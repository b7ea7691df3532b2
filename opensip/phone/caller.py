"""A scripted caller that speaks: it can be pointed at any SIP URI, and follows a REFER."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from opensip.agent.grammar import digits_in
from opensip.audio.frame import Samples
from opensip.audio.tones import tone
from opensip.call.emergency import is_emergency
from opensip.errors import NotAllowed, OpenSipError, ProviderError
from opensip.media.recorder import Recorder
from opensip.media.session import MediaSession
from opensip.phone.hearing import LONGEST, Heard, Hearing
from opensip.phone.line import Line
from opensip.phone.remedies import remedy
from opensip.phone.script import Keys, Say, Step, Tone, Wait, written
from opensip.phone.understanding import Answer, Understand
from opensip.sip.uri import NameAddr, Uri
from opensip.ua.call_failed import CallFailed
from opensip.ua.credentials import Credentials
from opensip.ua.invite_session import IncomingRefer, InviteSession

Speak = Callable[[str, int], Awaitable[Samples]]  # text, rate in Hz -> what to play

NOTHING = "neither an apology nor a number read back"
WRONG = "no that is wrong"
# Who transfers us may name a call to take over (RFC 3891): the INVITE that follows carries it.
FOLLOWS_REPLACES = ("Supported", "replaces")
_MOST_TRIES = 2  # of the same words, where a step has no others
LEAST_TRANSFERRED = 2.0  # seconds that a caller listens to the desk before hanging up


class Report(Protocol):
    """Takes what happens, as it happens."""

    def __call__(self, what: str, **details: object) -> None:
        """Take one thing that happened, named in snake case."""


@dataclass(frozen=True, slots=True)
class CallerConfig:
    """Whom to call, as whom, and what to do there. Times are in seconds.

    `patience` is how long the other side may take to begin an answer, `longest` how long it may
    speak without a pause before the caller goes on all the same; `linger` how long the caller
    stays after its last step, for the other side to hang up or to transfer it.
    """

    to: Uri
    from_: NameAddr
    steps: Sequence[Step] = ()
    credentials: Credentials | None = None
    ring_timeout: float = 30.0
    patience: float = 12.0
    longest: float = LONGEST
    linger: float = 15.0


@dataclass(slots=True)
class CallResult:
    """How a call of the caller went. `latencies` are in seconds, one for each step answered."""

    status: int = 0
    answered: bool = False
    transferred_to: str = ""
    latencies: tuple[float, ...] = ()
    ended_by: str = ""


class Caller:
    """Makes one call on a line, as its configuration says.

    With `understand` it says again what was not understood, in other words where its step has
    some, and corrects a number that is read back wrong.
    """

    def __init__(
        self,
        line: Line,
        config: CallerConfig,
        *,
        speak: Speak,
        report: Report,
        understand: Understand | None = None,
    ) -> None:
        self._line = line
        self._config = config
        self._speak = speak
        self._report = report
        self._understand = understand
        self._now = asyncio.get_running_loop().time
        self._result = CallResult()
        self._rang = False
        self._following: set[asyncio.Task[None]] = set()

    async def run(self, *, recorder: Recorder | None = None) -> CallResult:
        """Dial, act out the script, follow transfers, hang up. Raises no CallFailed."""
        media = self._line.media()
        if recorder is not None:
            media.record_to(recorder)
        try:
            session = await self._dial(self._config.to, media)
        except CallFailed as failed:
            self._result.status = failed.status
            hint = remedy(
                failed.status,
                self._config.to,
                rang=self._rang,
                gave_password=self._config.credentials is not None,
            )
            told = {"reason": failed.reason, "why": failed.why, "hint": hint}
            self._report("refused", status=failed.status, **told)
            return self._result
        finally:
            if not self._result.answered:
                await media.close()
        session.on_refer = self._refer
        try:
            await self._talk(session, media)
        finally:
            await media.close()
        await asyncio.gather(*self._following)
        return self._result

    async def _dial(
        self, to: Uri, media: MediaSession, headers: Sequence[tuple[str, str]] = ()
    ) -> InviteSession:
        config = self._config
        self._report("dialled", uri=str(to))
        call = await self._line.endpoint.dial(
            to,
            from_=config.from_,
            headers=(FOLLOWS_REPLACES, *headers),
            offer=media.offer(),
            credentials=config.credentials,
            negotiator=media,
            ring_timeout=config.ring_timeout,
        )
        try:
            session = await call.wait_answered()
        finally:
            self._rang = bool(call.progress)
        self._result.answered = True
        self._result.status = 200
        agreed = media.negotiated
        self._report(
            "answered",
            uri=str(to),
            transport=session.flow.transport,
            codec=agreed.codec.encoding_name if agreed else "",
            suite=agreed.suite if agreed else "",
        )
        return session

    async def _talk(self, session: InviteSession, media: MediaSession) -> None:
        """Act out the script until it or the call is over."""
        hearing = Hearing(media.source, self._now, longest=self._config.longest)
        listening = asyncio.create_task(hearing.listen())
        acting = asyncio.create_task(self._act(hearing, media))
        ending = asyncio.create_task(session.wait_ended())
        try:
            await asyncio.wait((acting, ending), return_when=asyncio.FIRST_COMPLETED)
            if not ending.done():
                await session.bye()
            ended = await ending
            self._result.ended_by = ended.by
            self._report("ended", by=ended.by, cause=ended.cause)
            if acting.done():
                acting.result()
        finally:
            for task in (acting, listening):
                task.cancel()
            await asyncio.gather(acting, listening, return_exceptions=True)

    async def _act(self, hearing: Hearing, media: MediaSession) -> None:
        """Let the other side speak, then take a step, and so on; then stay a while."""
        await hearing.turn(patience=self._config.patience)
        for step in self._config.steps:
            heard = await self._exchange(step, hearing, media)
            if isinstance(step, Say) and self._understand is not None:
                await self._insist(step, heard, hearing, media)
            if self._following:  # go on only if it comes to nothing, and the other side says so
                await asyncio.wait(self._following)
                await hearing.turn(patience=self._config.patience)
        await self._linger(hearing)

    async def _exchange(self, step: Step, hearing: Hearing, media: MediaSession) -> Heard | None:
        """Take a step and let the other side answer it; None where that says nothing."""
        ended = await self._take(step, hearing, media)
        if isinstance(step, Wait):
            return None
        heard = await hearing.turn(patience=self._config.patience)
        if heard is None:
            self._report("no_answer", step=written(step))
        else:
            latency = max(heard.began - ended, 0.0)
            self._result.latencies += (latency,)
            self._report("heard_answer", latency_ms=round(latency * 1000))
        return heard

    async def _insist(
        self, step: Say, heard: Heard | None, hearing: Hearing, media: MediaSession
    ) -> None:
        """Say it in each other wording, as long as it was not understood as it was meant."""
        for wording in step.again or (step.text,) * _MOST_TRIES:
            answer = await self._made_of(heard, step.text)
            misheard, number = answer.digits, digits_in(step.text)
            for _ in range(_MOST_TRIES):
                if not answer.digits or answer.digits == number:
                    break
                self._report("misheard", number=number, read_back=answer.digits)
                # A no may bring what else the number sounded like.
                heard = await self._exchange(Say(WRONG), hearing, media)
                answer = await self._made_of(heard, step.text)
            agreed = number and answer.digits == number
            if agreed or not (misheard or answer.misunderstood):
                return
            heard = await self._exchange(Say(wording), hearing, media)

    async def _made_of(self, heard: Heard | None, said: str) -> Answer:
        if heard is None or self._understand is None:
            return Answer()
        try:
            answer = await self._understand(heard.samples, heard.rate, said=said)
        except ProviderError as error:  # a caller that hears badly goes on with its script
            self._report("hearing_failed", error=str(error))
            return Answer()
        self._report("made_out", words=answer.text or NOTHING)
        return answer

    async def _linger(self, hearing: Hearing) -> None:
        """Stay while there is something to hear, a transfer to await, or time left."""
        until = self._now() + self._config.linger
        while self._now() < until and not hearing.ended:
            await hearing.turn(patience=until - self._now())
        if self._following:
            await asyncio.wait(self._following)

    async def _take(self, step: Step, hearing: Hearing, media: MediaSession) -> float:
        """Take one step; returns when its last sound left, in seconds of the loop."""
        match step:
            case Say(text):
                samples = await self._speak(text, media.sink.rate)
                self._report("said", text=text)
                await self._play(samples, hearing, media)
            case Keys(digits):
                self._report("keyed", digits=digits)
                send = media.send_digits if media.takes_events else media.send_tones
                await send(digits)
                hearing.forget()
            case Tone(frequency, seconds):
                self._report("toned", frequency=frequency)
                await self._play(tone(frequency, seconds, media.sink.rate), hearing, media)
            case Wait(seconds):
                await asyncio.sleep(seconds)
        return self._now()

    async def _play(self, samples: Samples, hearing: Hearing, media: MediaSession) -> None:
        hearing.forget()
        media.sink.write(samples)
        await media.sink.drained()

    # ---- being transferred

    async def _refer(self, refer: IncomingRefer) -> None:
        """Take a REFER, in a task of its own: it outlives the call that it ends."""
        uri = refer.target.uri
        self._report("referred", to=str(uri.without_headers()))
        if is_emergency(str(uri)):
            refer.reject(403)
            return
        refer.accept()
        following = asyncio.create_task(self._follow(refer, uri))
        self._following.add(following)
        following.add_done_callback(self._following.discard)

    async def _follow(self, refer: IncomingRefer, uri: Uri) -> None:
        """Call the target with the headers of its URI, and report how that goes."""
        media = self._line.media()
        try:
            session = await self._dial(uri.without_headers(), media, uri.unescaped_headers())
        except OpenSipError as error:
            status = error.status if isinstance(error, CallFailed) else error.sip_status
            why = error.why if isinstance(error, CallFailed) else ""
            self._report("transfer_failed", status=status, reason=str(error), why=why)
            await media.close()
            await refer.notify(status)
            return
        self._result.transferred_to = str(uri.without_headers())
        self._report("transferred", to=self._result.transferred_to)
        await refer.notify(200)
        try:
            await self._listen_to(session, media)
        finally:
            await media.close()

    async def _listen_to(self, session: InviteSession, media: MediaSession) -> None:
        """Hear the desk out, then hang up."""
        hearing = Hearing(media.source, self._now)
        listening = asyncio.create_task(hearing.listen())
        greeted = asyncio.create_task(hearing.turn(patience=LEAST_TRANSFERRED))
        ending = asyncio.create_task(session.wait_ended())
        await asyncio.wait((greeted, ending), return_when=asyncio.FIRST_COMPLETED)
        if not ending.done():
            await session.bye()
        listening.cancel()
        await asyncio.gather(listening, greeted, ending, return_exceptions=True)


def refuse_emergency(to: str) -> None:
    """Raise NotAllowed where `to` is an emergency number: a scripted voice must not call it."""
    if is_emergency(to):
        raise NotAllowed(f"{to} reaches emergency services: a scripted caller must not call it")
