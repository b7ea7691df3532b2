"""A human passes the caller on: REFER on a leg that we called (RFC 3515 section 2.4.2)."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from opensip.call.handoff import HeaderList
from opensip.call.leg import Leg, Referral, refuse
from opensip.call.transfer import CallOut
from opensip.errors import NotAllowed, OpenSipError
from opensip.sip.uri import Uri
from opensip.ua.call_failed import CallFailed

log = structlog.get_logger(__name__)

# Of the headers that a Refer-To asks for, those that say which call is meant (RFC 3891). Others
# would let a telephone write in our name.
_CARRIED = frozenset({"replaces"})
_PENDING = 491  # one at a time


@dataclass(frozen=True, slots=True)
class PassOn:
    """Calls whom a human refers the caller to: numbers, and telephones at `hosts` of its own.

    `ours` is our own host in the leg: telephones put it behind a number that somebody keyed.
    `context` is what the first human was told; the next is told it as well.
    """

    call_out: CallOut
    hosts: frozenset[str]
    ours: str
    context: HeaderList = ()

    def allows(self, uri: Uri) -> bool:
        """Tell whether the caller may be passed there."""
        return uri.scheme == "tel" or uri.host.lower() in self.hosts or self._is_number(uri)

    async def __call__(self, uri: Uri, referred_by: str | None) -> Leg:
        """Call, and give the leg once it is answered; raises OpenSipError where it is not.

        `referred_by` is what the REFER says of itself, handed on as it is (RFC 3892 section 2.2).
        """
        target = f"tel:{uri.user}" if self._is_number(uri) else str(uri.without_headers())
        carried = [(k, v) for k, v in uri.unescaped_headers() if k.lower() in _CARRIED]
        by = [("Referred-By", referred_by)] if referred_by else []
        return await self.call_out(target, (*self.context, *by, *carried), lambda status: None)

    def _is_number(self, uri: Uri) -> bool:
        number = re.fullmatch(r"\+?[0-9]+", uri.user or "")
        return bool(number) and (uri.host == self.ours or uri.params.get("user") == "phone")


class Referrals:
    """Follows the REFERs of one leg, one at a time; `passed` gets the leg that answered.

    It gets None where nobody did, once `is_alone`: the leg has gone meanwhile, which it may.
    """

    def __init__(self, leg: Leg, pass_on: PassOn | None, is_alone: Callable[[], bool]) -> None:
        self.passed: asyncio.Future[Leg | None] = asyncio.get_running_loop().create_future()
        self._leg = leg
        self._pass_on = pass_on
        self._is_alone = is_alone
        self._following: asyncio.Task[None] | None = None
        leg.on_refer = self._take

    @property
    def is_following(self) -> bool:
        """Whether somebody is being called."""
        return self._following is not None

    def close(self) -> None:
        """Take no more; who is being called is no longer."""
        self._leg.on_refer = refuse
        if self._following is not None:
            self._following.cancel()

    async def _take(self, referral: Referral) -> None:
        if self._pass_on is None:
            referral.reject()
        elif self._following is not None or self.passed.done():
            referral.reject(_PENDING)
        elif not self._pass_on.allows(referral.target.uri):
            log.warning("referral_refused", host=referral.target.uri.host)
            referral.reject(NotAllowed.sip_status)
        else:
            self._following = asyncio.ensure_future(self._follow(referral, self._pass_on))
            await asyncio.wait({self._following})

    async def _follow(self, referral: Referral, pass_on: PassOn) -> None:
        referral.accept()
        try:
            by = referral.request.headers.get("Referred-By")
            leg: Leg | None = await pass_on(referral.target.uri, by)
        except OpenSipError as error:
            status = error.status if isinstance(error, CallFailed) else error.sip_status
            log.warning("referral_failed", sip_status=status, why=str(error))
            leg = None
        else:
            status = 200
        self._following = None
        if leg is not None or self._is_alone():
            self.passed.set_result(leg)
        await referral.notify(status)
