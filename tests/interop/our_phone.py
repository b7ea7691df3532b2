"""Our own user agent and media as a telephone that a test drives from its own thread.

What `opensip serve` and `opensip dial` do at their own time, a peer is shown here on demand:
re-INVITE, UPDATE, REFER, BYE.
"""

import asyncio
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from opensip.audio.tones import tone
from opensip.events import CallEvent, SipReceived, SipSent
from opensip.media.session import MediaSession
from opensip.net.sip_transport import Listener
from opensip.net.tls import TlsConfig
from opensip.phone.line import Line, LineConfig
from opensip.sip.fields import Replaces
from opensip.sip.refer_usage import ReferProgress
from opensip.sip.uri import NameAddr, Uri
from opensip.ua.invite_session import InviteSession, SessionEnded

TONE = 820  # Hz: what it says
SPOKEN = 20.0  # seconds of it
SECONDS = 20.0  # for anything that is waited for

Value = TypeVar("Value")


class OurPhone:
    """One line in a loop of its own; `dial` as often as wanted, `close` at the end."""

    def __init__(self, transport: str, ca: Path | None = None) -> None:
        udp = (Listener("UDP", "127.0.0.1", 0),) if transport == "UDP" else ()
        self._config = LineConfig(
            "127.0.0.1", "required" if transport == "TLS" else "off", udp,
            client_tls=TlsConfig(ca=ca),
        )  # fmt: skip
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._line: Line = self.do(self._open())

    async def _open(self) -> Line:
        return await Line(self._config).__aenter__()

    def do(self, work: Coroutine[Any, Any, Value]) -> Value:
        """Run something in the loop, and wait for what comes of it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(SECONDS)

    def dial(self, uri: str, *, user: str = "ours") -> "OurCall":
        """Call, and wait for the answer; a tone is said from then on."""
        return self.do(self._dial(Uri.parse(uri), NameAddr.parse(f"<sip:{user}@127.0.0.1>")))

    async def _dial(self, to: Uri, from_: NameAddr) -> "OurCall":
        media, wire = self._line.media(), Wire()
        try:
            call = await self._line.endpoint.dial(to, from_=from_, negotiator=media, observer=wire)
            session = await call.wait_answered()
        except BaseException:
            await media.close()
            raise
        media.sink.write(tone(TONE, SPOKEN, media.sink.rate))
        return OurCall(self, session, media, wire)

    async def _close(self) -> None:
        await self._line.__aexit__(None, None, None)

    def close(self) -> None:
        """Hang up what is left, and end the loop."""
        self.do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        self._loop.close()


class Wire:
    """Observes a call: its SIP messages as text, "<" before what came and ">" what went."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def note(self, event: CallEvent) -> None:
        """Keep it if it is a message."""
        if isinstance(event, SipReceived | SipSent):
            sign = "<" if isinstance(event, SipReceived) else ">"
            self.messages.append(sign + event.text)

    def requests(self) -> list[str]:
        """The methods of all requests, each with its sign."""
        starts = (message.split(" ", 1)[0] for message in self.messages)
        return [start for start in starts if "SIP/2.0" not in start]


class OurCall:
    """A call of ours, answered."""

    def __init__(
        self, phone: OurPhone, session: InviteSession, media: MediaSession, wire: Wire
    ) -> None:
        self.session, self.media, self.wire = session, media, wire
        self._phone = phone

    @property
    def taken_over(self) -> str:
        """Write the Refer-To by which another may take over this call from us."""
        dialog = self.session.dialog
        to_tag, from_tag = dialog.remote.tag or "", dialog.local.tag or ""
        replaces = Replaces(dialog.id.call_id, to_tag, from_tag)
        return f"<{dialog.remote_target.with_header('Replaces', str(replaces))}>"

    def reinvite(self) -> None:
        """Offer the session anew."""
        self._phone.do(self.session.reinvite())

    def refer(self, refer_to: str) -> list[ReferProgress]:
        """Ask the peer to call somebody else, and follow that to its end."""

        async def follow() -> list[ReferProgress]:
            return [progress async for progress in self.session.refer(refer_to)]

        return self._phone.do(follow())

    def bye(self) -> None:
        """Hang up, and wait until that is answered."""
        self._phone.do(self._end(self.session.bye()))

    def wait_ended(self) -> SessionEnded:
        """Wait until the other side hangs up."""
        ended = self._phone.do(self.session.wait_ended())
        self._phone.do(self.media.close())
        return ended

    async def _end(self, bye: Coroutine[Any, Any, None]) -> None:
        await bye
        await self.media.close()
