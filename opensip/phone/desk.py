"""The desk of a human: takes a call and shows the context that came with it."""

import asyncio
from collections.abc import Callable

from opensip.audio.frame import Samples
from opensip.call.handoff import Handoff, read_headers
from opensip.errors import OpenSipError
from opensip.phone.caller import Report, Speak
from opensip.phone.line import Line, LineConfig
from opensip.ua.admission import TrunkAdmission
from opensip.ua.server_call import ServerCall

GREETING = "Thank you for waiting. I have read what you told us."


class Desk:
    """Answers each call, speaks a greeting, and stays until the caller hangs up.

    `report` gets "called" with the context read off the INVITE. `busy` refuses each call with
    486 instead. `ended` is called after each call.
    """

    def __init__(
        self,
        config: LineConfig,
        admitted: TrunkAdmission,
        *,
        speak: Speak,
        report: Report,
        greeting: str = GREETING,
        busy: bool = False,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self.line = Line(config, admitted=(admitted,), on_call=self._take)
        self._speak = speak
        self._report = report
        self._greeting = greeting
        self._busy = busy
        self._ended = ended

    async def serve(self, until: asyncio.Event) -> None:
        """Keep the desk open until `until` is set."""
        async with self.line:
            for transport, host, port in self.line.endpoint.bound:
                self._report("listening", transport=transport, host=host, port=port)
            await until.wait()

    async def _take(self, call: ServerCall) -> None:
        caller = call.request.from_.uri.user or call.request.from_.uri.host
        self._report("called", caller=caller, **described(read_headers(call.request.headers)))
        if self._busy:
            call.reject(486)
            return
        call.provisional(180)
        media = self.line.media()
        try:
            greeting: Samples = await self._speak(self._greeting, media.sink.rate)
            session = await call.answer(media)
            self._report("answered", caller=caller)
            media.sink.write(greeting)
            ended = await session.wait_ended()
            self._report("ended", by=ended.by, cause=ended.cause)
        except OpenSipError as error:
            call.reject_error(error)
            self._report("failed", error=str(error))
        finally:
            await media.close()
            self._ended()


def described(handoff: Handoff) -> dict[str, object]:
    """Name what a hand-over carries; what is empty was not sent."""
    return {
        "call_id": handoff.call_id,
        "intent": handoff.intent,
        "confidence": handoff.confidence,
        "summary": handoff.summary,
        "fields": dict(handoff.fields),
        "transcript": list(handoff.transcript),
        "transcript_url": handoff.transcript_url,
        "left_out": ", ".join(handoff.left_out),
    }
