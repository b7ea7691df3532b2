"""A leg over SIP and RTP: an INVITE session and its media."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import structlog

from opensip.audio.frame import AudioSink, AudioSource
from opensip.call.digit_sender import send_digits
from opensip.call.handoff import TOTAL
from opensip.call.leg import Leg, LegEnded, Referral, refuse
from opensip.carriers.trunk import DtmfWay
from opensip.errors import OpenSipError
from opensip.events import Dtmf
from opensip.media.accord import End
from opensip.media.digit_inbox import EVENT, TONE
from opensip.media.joint import Joint
from opensip.media.session import MediaSession
from opensip.sip.dtmf_relay import read_digit
from opensip.sip.grammar import format_host_port
from opensip.sip.refer_usage import ReferProgress
from opensip.sip.uri import NameAddr
from opensip.ua.invite_session import InviteSession

log = structlog.get_logger(__name__)

# A request over UDP is to stay below 1300 octets (RFC 3261 section 18.1.1); what a REFER has
# beside its context takes the rest.
UDP_ROOM = 700

# Seconds that an INFO waits for the event of its press, where the engine hands that on: the other
# peer must not get both, nor nothing where there is no event.
_EVENT = 0.4
_GOODBYE = 2.0  # seconds that the answer to our BYE is waited for, so that the journal has it


class SipLeg:
    """An answered INVITE session with its media. `on_digit` gets each digit, whatever its way.

    `dtmf` says how digits of ours are sent; `on_held` learns when the peer holds us, and when it
    takes us back; `on_refer` decides on a REFER of the peer.
    """

    def __init__(
        self, session: InviteSession, media: MediaSession, *, dtmf: DtmfWay = "auto"
    ) -> None:
        self.on_digit: Callable[[str], None] = lambda digit: None
        self.on_held: Callable[[bool], None] = lambda on: None
        self.on_refer: Callable[[Referral], Awaitable[None] | None] = refuse
        self._session = session
        self._media = media
        self._dtmf = dtmf
        self._relayed = False
        self._joint: Joint | None = None
        media.on_dtmf = self._receive_dtmf
        media.on_held = self._receive_hold
        session.on_info = self._receive_info
        session.on_refer = self._receive_refer

    @property
    def source(self) -> AudioSource:
        """What the peer says."""
        return self._media.source

    @property
    def sink(self) -> AudioSink:
        """What the peer hears."""
        return self._media.sink

    @property
    def is_held(self) -> bool:
        """Whether the peer does not want to hear us now."""
        return self._media.is_held

    @property
    def quiet(self) -> float:
        """Seconds since the peer's last packet of media; infinite where it said it sends none."""
        agreed, last = self._media.negotiated, self._media.stream.last_received
        if agreed is not None and agreed.direction == "inactive":
            return math.inf
        return math.inf if last is None else self._media.engine.now() - last

    @property
    def peer_allows(self) -> frozenset[str]:
        """Methods of the peer's Allow header; empty where it had none."""
        return self._session.peer_allows

    @property
    def referred_by(self) -> str:
        """Our own URI in the dialog."""
        return str(self._session.dialog.local.uri)

    @property
    def our_hosts(self) -> frozenset[str]:
        """Hosts of our Contact and of our address in the dialog."""
        dialog = self._session.dialog
        uris = (NameAddr.parse(dialog.contact).uri, dialog.local.uri)
        return frozenset(uri.host.lower() for uri in uris)

    @property
    def host(self) -> str:
        """The host of the peer's contact."""
        target = self._session.dialog.remote_target
        return format_host_port(target.host, target.port)

    @property
    def room(self) -> int:
        """How many characters of context a REFER has room for."""
        return TOTAL if self._session.flow.reliable else UDP_ROOM

    def refer(
        self, refer_to: str, headers: Sequence[tuple[str, str]] = (), *, timeout: float = 30.0
    ) -> AsyncIterator[ReferProgress]:
        """Send a REFER and follow it to its end."""
        return self._session.refer(refer_to, headers, timeout=timeout)

    def relay_to(self, sink: AudioSink | None) -> None:
        """Let `sink` play what the peer says, which `source` tells no more; None ends that."""
        self._relayed = sink is not None
        self._media.relay_to(sink)

    def join(self, other: Leg) -> bool:
        """Let both peers hear each other, their media joined, until `part`."""
        if not isinstance(other, SipLeg):
            return False
        self.part()
        other.part()
        self._joint = other._joint = Joint(self._end(), other._end())
        return True

    def part(self) -> None:
        """Take the leg off the one that it is joined to, if it is."""
        if self._joint is not None:
            self._joint.end()
            self._joint = None

    async def hold(self, on: bool) -> None:
        """Tell the peer that it is held, or taken back (RFC 3264 section 8.4)."""
        self._media.direction = "sendonly" if on else "sendrecv"
        try:
            await self._session.update()
        except OpenSipError as error:  # it goes on hearing: no reason to end anything
            log.warning("hold_refused", on=on, why=str(error))

    async def send_digits(self, digits: str) -> None:
        """Send digits (0-9, *, #, A-D) as the trunk says. Raises MediaError where none can be."""
        await send_digits(digits, self._dtmf, media=self._media, info=self._session.info)

    def excuse_silence(self, excused: bool) -> None:
        """Take no lack of RTP for the end of the leg while `excused`."""
        self._media.excuse_silence(excused)

    async def wait_ended(self) -> LegEnded:
        """Wait until the session is over, no RTP has come for too long, or its media failed."""
        ended = asyncio.ensure_future(self._session.wait_ended())
        silent = asyncio.ensure_future(self._media.wait_timed_out())
        broken = asyncio.ensure_future(self._media.wait_broken())
        try:
            await asyncio.wait({ended, silent, broken}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                over = ended.result()
            elif broken.done():
                return LegEnded("lost", f"media failed: {broken.result()}")
            else:
                timed_out = silent.result()
                return LegEnded("lost", f"no RTP for {timed_out.seconds:g} s ({timed_out.phase})")
        finally:
            for waiting in (ended, silent, broken):
                waiting.cancel()
        side = {"remote": "caller", "local": "us"}.get(over.by, "lost")
        return LegEnded(side, over.cause, over.sip_status)

    async def close(self) -> None:
        """Hang up where nobody has, and free the ports and the recording at once."""
        # What they lead to has us: a call held in a circle waits for the garbage collector.
        self.on_digit, self.on_held, self.on_refer = _ignore, _ignore, refuse
        self._session.on_info = self._session.on_refer = None  # it may have ended before we began
        if not self._session.is_established:
            await self._media.close()
            return
        goodbye = asyncio.ensure_future(self._session.bye())
        await self._media.close()
        await asyncio.wait({goodbye}, timeout=_GOODBYE)
        goodbye.cancel()

    def _end(self) -> End:
        return End(self._media, self._takes_keys, self._session.reinvite)

    def _takes_keys(self) -> bool:
        return self._dtmf in ("auto", "rfc4733") and self._media.takes_events

    def _receive_dtmf(self, dtmf: Dtmf) -> None:
        joint = self._joint
        if dtmf.way == TONE and (self._relayed or joint):  # whose sound is handed on as it is
            return
        if joint is None or not joint.carries_keys(self._media):
            self.on_digit(dtmf.digit)
        elif dtmf.way != EVENT:
            asyncio.get_running_loop().call_later(_EVENT, self._carry, dtmf, joint)

    def _carry(self, dtmf: Dtmf, joint: Joint) -> None:
        """Hand on a press of which no event told, to whom it was meant for."""
        if not joint.is_over and EVENT not in self._media.ways_of(dtmf):
            self.on_digit(dtmf.digit)

    def _receive_hold(self, on: bool) -> None:
        self.on_held(on)

    def _receive_refer(self, referral: Referral) -> Awaitable[None] | None:
        return self.on_refer(referral)

    def _receive_info(self, content_type: str, body: bytes) -> None:
        digit = read_digit(content_type, body)
        if digit is not None:
            self._media.take_info(*digit)


def _ignore(_: object) -> None:
    """Take what comes after the end."""
