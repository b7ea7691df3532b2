"""The second leg of a call: the target of a transfer, called by ourselves."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from opensip.call.dialler import Dialler, credentials_of, replace_user
from opensip.call.directory import is_number, is_over_tls
from opensip.call.emergency import is_emergency
from opensip.call.entry import Entry
from opensip.call.exchange import Exchange
from opensip.call.handoff import HeaderList
from opensip.call.leg import Leg
from opensip.call.sip_leg import SipLeg
from opensip.call.target_books import TargetBooks
from opensip.carriers import Trunk
from opensip.carriers.trunk import Srtp
from opensip.errors import NotAllowed
from opensip.sip.grammar import format_host_port
from opensip.sip.uri import NameAddr, Uri
from opensip.ua.call_failed import CallFailed

log = structlog.get_logger(__name__)

RINGING = 60.0  # seconds that a human has to pick up
_ANONYMOUS = NameAddr("Anonymous", Uri("sip", "anonymous", host="anonymous.invalid"))


@dataclass(frozen=True, slots=True)
class _Way:
    """Where a target is reached, on what terms, as whom, and whether by the trunk itself."""

    to: Uri
    trunk: Trunk
    shown: str
    own: bool

    def from_(self, host: str) -> NameAddr:
        return NameAddr(None, Uri("sip", self.shown, host=host)) if self.shown else _ANONYMOUS

    def identity(self, host: str) -> HeaderList:
        """Say to the trunk who calls (RFC 3325), or to anybody that it is not to be shown."""
        if not self.shown:
            return (("Privacy", "id"),)  # RFC 3323
        if not self.own:
            return ()
        return (("P-Asserted-Identity", f"<{Uri('sip', self.shown, host=host)}>"),)


@dataclass(frozen=True, slots=True)
class TargetCalls:
    """Calls targets for one call of `trunk`. `caller` is the number to show, "" for none.

    A number goes by the trunk's own termination, shown as one of its caller ids: carriers take
    no other. Without one it is not called: at `peer`, host and port, which REFER names it at, the
    caller itself would ring. The media of another host follow the trunk where the way of their
    keys is encrypted, and are in the clear elsewhere. The codec that the caller speaks is offered
    first: two who speak the same one need nobody in between.
    """

    exchange: Exchange
    endpoint: Dialler
    trunk: Trunk
    entry: Entry
    caller: str = ""
    spoken: Callable[[], str] = str
    peer: Callable[[], str] = str

    async def __call__(
        self, target: str, headers: HeaderList, progressed: Callable[[int], None]
    ) -> Leg:
        """Call, and give the leg once it is answered; raises OpenSipError where it is not."""
        if is_emergency(target, self.trunk.country):
            raise NotAllowed(f"{target} reaches emergency services")
        way = self._way(target)
        try:
            return await self._call(way, way.trunk.srtp, headers, progressed)
        except CallFailed as error:
            if error.status != 488 or way.trunk.srtp != "preferred":
                raise
        # Some phones want RTP/SAVP or nothing: keys beside RTP/AVP (RFC 8643) tell them nothing.
        return await self._call(way, "required", headers, progressed)

    async def _call(
        self, way: _Way, srtp: Srtp, headers: HeaderList, progressed: Callable[[int], None]
    ) -> Leg:
        to, trunk = way.to, way.trunk
        target, route = self.exchange.way_out(trunk, to)
        contact = self.endpoint.contact(await self.endpoint.flow_to(target), secure=to.is_secure)
        host = NameAddr.parse(contact).uri.host
        codecs = sorted(trunk.codecs, key=self.spoken().__ne__)
        terms, books = replace(trunk, srtp=srtp, codecs=tuple(codecs)), TargetBooks(self.entry)
        media = self.exchange.open_media(terms, books, host=host)
        try:
            call = await self.endpoint.dial(
                to,
                from_=way.from_(host),
                negotiator=media,
                headers=(*headers, *way.identity(host), *route),
                credentials=credentials_of(trunk, to),
                target=target,
                ring_timeout=RINGING,
                observer=self.entry,
                may_follow=lambda uri: not is_emergency(str(uri), trunk.country),
            )
            for response in call.progress:  # those that came meanwhile
                progressed(response.status)
            call.on_progress = lambda response: progressed(response.status)
            try:
                session = await call.wait_answered()
            finally:
                call.cancel()  # where we are cancelled ourselves; nothing once it is answered
        except BaseException:
            await media.close()
            raise
        return SipLeg(session, media, dtmf=trunk.dtmf)

    def _way(self, target: str) -> _Way:
        uri, trunk = Uri.parse(target), self.trunk
        if trunk.termination and is_number(uri):
            number = (uri.user or uri.opaque).partition(";")[0]
            shown = trunk.caller_ids[0] if trunk.caller_ids else self.caller
            return _Way(replace_user(Uri.parse(trunk.termination), number), trunk, shown, True)
        if uri.scheme == "tel" or (is_number(uri) and _place(uri) == self.peer()):
            raise NotAllowed(
                f"{target} is a number, and trunk {trunk.name} has no outbound.termination to "
                "call it by"
            )
        srtp: Srtp = trunk.srtp if is_over_tls(uri) else "off"
        if trunk.srtp == "required" and srtp == "off":
            log.warning("target_in_clear", trunk=trunk.name, host=uri.host)
        foreign = replace(
            trunk, srtp=srtp, keying="sdes", proxy="", tls_name="", username="", dtmf="auto"
        )
        return _Way(uri, foreign, self.caller, False)


def _place(uri: Uri) -> str:
    return format_host_port(uri.host, uri.port)
