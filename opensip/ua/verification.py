"""Whether a caller's number is signed for: verification of Identity, RFC 8224 section 6.2.

Pure but for `Verifier`, to which fetching and the clock are handed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from opensip.errors import RemoteProtocolError, TransportFailed
from opensip.net.sti import Anchors
from opensip.sip.message import Request
from opensip.sip.passport import (
    IdentityField,
    Party,
    Passport,
    invalid,
    phrase,
    refused,
    telephone,
)
from opensip.sip.timing_fields import Date
from opensip.sip.uri import NameAddr, Uri
from opensip.ua.identity import printable

FRESH = 60.0  # seconds from signing to verification, either way: RFC 8224 section 6.2
SECONDS = 2.0  # for all of a verification: the caller hears ringing meanwhile
MAX_FIELDS = 4  # Identity headers that are looked at: each may cost a fetch
_MAX_WHY = 200  # characters: names out of foreign certificates and tokens stand in it

_KINDS = frozenset({"", "shaken"})  # div, rph, rcd and others tell of other things

Outcome = Literal["passed", "failed", "unchecked", "missing"]
Normalise = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a verification.

    `failed` is proven; `unchecked` means that the certificate cannot be had; `missing`, that no
    header is there that could be checked. `status` is that of RFC 8224 section 6.2.2, `why` in
    words. `attestation` (A, B, C) and `origination_id` are signed, and "" unless it passed.
    """

    outcome: Outcome
    status: int = 0
    why: str = ""
    attestation: str = ""
    origination_id: str = ""
    certificate: str = ""  # its URL

    @property
    def reason(self) -> str:
        """The phrase beside `status` where the call is refused for it."""
        return phrase(self.status)


MISSING = Verdict("missing", 428, "no Identity that could be checked")


@dataclass(frozen=True, slots=True)
class Claimed:
    """What the request itself says: who calls whom, and when it was made, if it tells."""

    origins: tuple[Party, ...]
    destinations: tuple[Party, ...]
    date: datetime | None = None


def claimed(request: Request, *, trusted: bool, normalise: Normalise) -> Claimed:
    """Read who calls whom: what a trusted trunk asserts, else From; To.

    Asserted is P-Asserted-Identity, or Remote-Party-ID where there is none. The Request-URI
    counts beside To, which some carriers leave as it was dialled.
    """
    asserted: list[NameAddr] = []
    if trusted:  # in the order in which `identity.caller` believes them
        asserted = list(_asserted(request, "P-Asserted-Identity"))
        asserted = asserted or list(_asserted(request, "Remote-Party-ID"))[:1]
    return Claimed(
        tuple(_party(address.uri, normalise) for address in asserted or [request.from_]),
        (_party(request.to.uri, normalise), _party(request.uri, normalise)),
        _date(request),
    )


def passport_of(field: IdentityField, said: Claimed, *, now: float, fresh: float) -> Passport:
    """Read a PASSporT and hold it against the request; raises RemoteProtocolError 403 to 438.

    `now` is in seconds since 1970. The signature is still to be checked.
    """
    passport = _rebuilt(field, said) if field.is_compact else Passport.read(field)
    if abs(now - passport.iat) > fresh:
        raise refused(403, f"signed {now - passport.iat:.0f} s ago; {fresh:g} s are allowed")
    if passport.orig not in said.origins:
        raise invalid("signed for another caller")
    if not set(said.destinations) & set(passport.dest):
        raise invalid("signed for a call to somebody else")
    return passport


def check_signature(passport: Passport, chain: bytes, anchors: Anchors, *, now: float) -> None:
    """Check who signed; raises RemoteProtocolError 437 (not to be trusted) or 438 (not signed)."""
    signer = anchors.signer(chain, now=datetime.fromtimestamp(now, UTC))
    if not signer.may_sign_for(passport.orig.value):
        raise refused(437, "the signer's certificate is for other numbers")
    if not signer.signed(passport.signing_input, passport.signature):
        raise invalid("the signature does not fit")


def reasons(verdict: Verdict) -> Sequence[tuple[str, str]]:
    """Write why a call is refused, for its response: RFC 3326, with the protocol of RFC 9410."""
    text = verdict.why.replace("\\", "").replace('"', "'")
    return (("Reason", f'STIR;cause={verdict.status};text="{text}"'),)


class Verifier:
    """Verifies requests against `anchors`; `fetch` gives the certificates at a URL.

    `wall` tells seconds since 1970. A verification ends within `seconds`.
    """

    def __init__(
        self,
        anchors: Anchors,
        fetch: Callable[[str], Awaitable[bytes]],
        *,
        wall: Callable[[], float],
        seconds: float = SECONDS,
        fresh: float = FRESH,
    ) -> None:
        self._anchors = anchors
        self._fetch = fetch
        self._wall = wall
        self._seconds = seconds
        self._fresh = fresh

    async def verify(self, request: Request, *, trusted: bool, normalise: Normalise) -> Verdict:
        """Check each Identity that is ours to check: one that holds is enough."""
        said = claimed(request, trusted=trusted, normalise=normalise)
        verdict = MISSING
        try:
            values = request.headers.values("Identity")[:MAX_FIELDS]
        except RemoteProtocolError as error:  # not even told apart
            return Verdict("failed", 438, str(error))
        try:
            async with asyncio.timeout(self._seconds):
                for value in values:
                    found = await self._judge(value, said)
                    if found.outcome == "passed":
                        return found
                    verdict = found if verdict is MISSING else verdict
        except TimeoutError:
            why = f"the certificate did not come within {self._seconds:g} s"
            return Verdict("unchecked", 436, why)
        return verdict

    async def _judge(self, value: str, said: Claimed) -> Verdict:
        url = ""
        try:
            field = IdentityField.parse(value)
            if field.ppt not in _KINDS:
                return MISSING
            url, now = field.info, self._wall()
            passport = passport_of(field, said, now=now, fresh=self._fresh)
            check_signature(passport, await self._fetch(url), self._anchors, now=now)
        except RemoteProtocolError as error:
            status = error.sip_status if error.sip_status in (403, 436, 437) else 438
            return Verdict("failed", status, _shown(error), certificate=printable(url))
        except TransportFailed as error:
            return Verdict("unchecked", 436, _shown(error), certificate=printable(url))
        return Verdict("passed", 0, "", passport.attest, passport.origid, url)


def _shown(error: Exception) -> str:
    """Give what it says as one short line: it goes to logs, journals and a header."""
    return printable(str(error))[:_MAX_WHY]


def _rebuilt(field: IdentityField, said: Claimed) -> Passport:
    if said.date is None:
        raise refused(403, "a compact form, and no Date to make it whole with")
    return Passport.rebuild(
        field,
        iat=int(said.date.timestamp()),
        orig=said.origins[0],
        dest=said.destinations[:1],
    )


def _asserted(request: Request, name: str) -> Iterator[NameAddr]:
    for value in request.headers.readable_values(name):
        try:
            yield NameAddr.parse(value)
        except RemoteProtocolError:
            continue  # one that cannot be read says nothing of the caller


def _party(uri: Uri, normalise: Normalise) -> Party:
    user = (uri.user or "").partition(";")[0]
    number = normalise(user) if user else ""
    return Party.of(number if telephone(number) else str(uri))


def _date(request: Request) -> datetime | None:
    try:
        return Date.parse(request.headers.get("Date") or "").when
    except RemoteProtocolError:
        return None
