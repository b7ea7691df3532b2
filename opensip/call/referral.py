"""A human passes the caller on: REFER on a leg that we called (RFC 3515 section 2.4.2)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from opensip.call.handoff import HeaderList
from opensip.call.leg import Leg, Referral, refuse
from opensip.call.transfer import CallOut
from opensip.carriers.number import normalise
from opensip.errors import NotAllowed, OpenSipError
from opensip.sip.grammar import Params
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

    `ours` are the hosts that the human's telephone knows us by: it puts them behind a number that
    was keyed. Numbers are of `country`, and reached at `carrier`, host and port. `context` is
    what the first human was told; the next is told it as well.
    """

    call_out: CallOut
    hosts: frozenset[str]
    ours: frozenset[str]
    carrier: str
    country: str = "US"
    context: HeaderList = ()

    def allows(self, uri: Uri) -> bool:
        """Tell whether the caller may be passed there; `maddr` would lead elsewhere."""
        at_home = uri.host.lower() in self.hosts and not uri.params.has("maddr")
        return at_home or bool(self._number(uri))

    async def __call__(self, uri: Uri, referred_by: str | None) -> Leg:
        """Call, and give the leg once it is answered; raises OpenSipError where it is not.

        `referred_by` is what the REFER says of itself, handed on as it is (RFC 3892 section 2.2).
        """
        number = self._number(uri)
        target = f"sip:{number}@{self.carrier};user=phone" if number else _plain(uri)
        carried = [(k, v) for k, v in uri.unescaped_headers() if k.lower() in _CARRIED]
        by = [("Referred-By", referred_by)] if referred_by else []
        return await self.call_out(target, (*self.context, *by, *carried), lambda status: None)

    def _number(self, uri: Uri) -> str:
        """Give the number in E.164 that a URI stands for, "" where it is a telephone's."""
        keyed = uri.host.lower() in self.ours or uri.params.get("user") == "phone"
        if uri.scheme != "tel" and not keyed:
            return ""
        number = normalise(str(uri.without_headers()), self.country)
        return number if number.startswith("+") else ""


def _plain(uri: Uri) -> str:
    """Write a URI without what only a REFER may say: headers and a method (RFC 3261 19.1.5)."""
    params = Params(tuple(pair for pair in uri.params.pairs if pair[0].lower() != "method"))
    return str(replace(uri.without_headers(), params=params))


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

    async def refuse_late(self) -> None:
        """Hang up on who answered while nobody waits for it any more."""
        if self.passed.done() and (leg := self.passed.result()):
            await leg.close()

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
        leg: Leg | None = None
        status = 500
        try:
            by = referral.request.headers.get("Referred-By")
            leg, status = await pass_on(referral.target.uri, by), 200
        except OpenSipError as error:
            status = error.status if isinstance(error, CallFailed) else error.sip_status
            log.warning("referral_failed", sip_status=status, why=str(error))
        except Exception:  # one call: whatever failed in it, the caller must not wait for ever
            log.exception("referral_failed", sip_status=status)
        self._following = None
        if leg is not None or self._is_alone():
            self.passed.set_result(leg)
        await referral.notify(status)
