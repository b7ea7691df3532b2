"""A call that comes in: from its INVITE to its answer, refusal or CANCEL."""

import random
from collections.abc import Iterable

from opensip.errors import LocalProtocolError, NegotiationError, OpenSipError
from opensip.sip.dialog import Dialog, asks_for_sips
from opensip.sip.flow import Flow
from opensip.sip.invite_usage import InviteUsage
from opensip.sip.message import Request
from opensip.sip.multipart import description_of
from opensip.sip.session_timer import SessionTimer
from opensip.sip.transaction import TransactionKey
from opensip.ua.call_failed import CallFailed
from opensip.ua.core import Core
from opensip.ua.courier import is_way_back
from opensip.ua.credentials import ChallengeAnswers, Credentials
from opensip.ua.invite_session import InviteSession
from opensip.ua.negotiation import Negotiator, warning
from opensip.ua.options import CAPABILITIES, RETRY_AFTER


class ServerCall:
    """An admitted INVITE. `trunk` and `user` are those that opened the door to it.

    `credentials` answer the trunk's challenges to what we send in the call.

    `offer` is the INVITE's session description, None where the peer wants ours. Exactly one of
    `answer` and `reject` is to be called; after a CANCEL both come to nothing.
    """

    def __init__(
        self,
        core: Core,
        key: TransactionKey,
        request: Request,
        flow: Flow,
        *,
        trunk: str,
        user: str | None,
        credentials: Credentials | None = None,
    ) -> None:
        self.request = request
        self.flow = flow
        self.trunk = trunk
        self.user = user
        self.offer = description_of(request) or None
        self.key = key
        authorize = ChallengeAnswers(credentials, core.token) if credentials else None
        usage = InviteUsage.as_uas(
            _dialog(core, request, flow),
            request,
            key,
            random=random.random,
            timers=core.timers,
            timer=SessionTimer(),
            capabilities=CAPABILITIES,
            authorize=authorize,
        )
        self._headers = (*CAPABILITIES, ("Server", core.user_agent))
        self._session = InviteSession(
            core,
            usage,
            flow=flow,
            returns=is_way_back(request, flow),
            invite=request,
            peer=request,
            authorize=authorize,
        )

    @property
    def participant(self) -> InviteSession:
        """The session that the call is becoming: it takes what the peer sends."""
        return self._session

    @property
    def is_open(self) -> bool:
        """True while the INVITE waits for its final response."""
        return self._session.is_early

    def provisional(
        self,
        status: int,
        reason: str | None = None,
        body: bytes = b"",
        *,
        reliable: bool = False,
    ) -> None:
        """Send a response from 101 to 199; nothing happens once the INVITE is answered.

        It is acknowledged (RFC 3262) where the peer demands that, or it is wished and the peer
        can. `body` answers the offer, if it is reliable: the 200 repeats it.
        """
        if self.is_open:
            self._session.provisional(
                status, reason, headers=self._headers, body=body, reliable=reliable
            )

    async def answer(self, negotiator: Negotiator) -> InviteSession:
        """Accept the call, and wait for the ACK.

        Raises NegotiationError (the call still waits for `reject_error`), CallFailed 487 where
        the peer gave up before, TransactionTimeout where no ACK came: then BYE was sent.
        """
        if not self.is_open:
            raise CallFailed(487)
        body = negotiator.offer() if self.offer is None else negotiator.answer(self.offer)
        return await self._session.accept(negotiator, body, headers=self._headers)

    def reject(
        self,
        status: int,
        reason: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Refuse the call with a status from 300 to 699; nothing happens after a CANCEL."""
        if not 300 <= status <= 699:
            raise LocalProtocolError(f"a call cannot be rejected with {status}")
        if self.is_open:
            self._session.reject(status, reason, headers=headers)

    def reject_error(self, error: OpenSipError) -> None:
        """Refuse the call as the error says, with a Warning where it has one (section 20.43)."""
        headers: list[tuple[str, str]] = []
        if isinstance(error, NegotiationError):
            headers.append(warning(error, self.flow.local))
        if error.sip_status == 503:
            headers.append(("Retry-After", str(RETRY_AFTER)))
        status = error.sip_status if error.sip_status >= 300 else 500
        self.reject(status, error.reason, headers)

    async def wait_cancelled(self) -> None:
        """Wait until the peer gives up before our answer; for ever where it does not."""
        await self._session.wait_cancelled()


def _dialog(core: Core, request: Request, flow: Flow) -> Dialog:
    # Who names a sips Contact, but came without TLS, could reach us at none.
    secure = request.uri.is_secure or (flow.transport == "TLS" and asks_for_sips(request))
    contact = core.contact(flow, secure=secure)
    return Dialog.as_uas(request, local_tag=core.token(), contact=contact)
