"""Answering challenges to our requests: RFC 3261 section 22, RFC 7616 section 3.4."""

from collections.abc import Callable
from dataclasses import dataclass, field

from opensip.errors import RemoteProtocolError
from opensip.sip.challenge import Challenge, authorize
from opensip.sip.message import Request, Response

_FIELDS = {
    401: ("WWW-Authenticate", "Authorization"),
    407: ("Proxy-Authenticate", "Proxy-Authorization"),
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Name and password of a trunk. No realm but `realms` ever sees a hash of the password."""

    username: str
    password: str = field(repr=False)
    realms: frozenset[str]


class ChallengeAnswers:
    """Answers each challenge once per realm and request, and once more if only the nonce was old.

    A peer that challenges for ever gets no third answer (CVE-2020-28242). `token` gives a new
    client nonce each time. Serves as the `Authorize` of `sip.usage`.
    """

    def __init__(self, credentials: Credentials, token: Callable[[], str]) -> None:
        self._credentials = credentials
        self._token = token
        self._given: dict[str, dict[str, int]] = {}  # value -> answers per realm up to it
        self._uses: dict[str, int] = {}  # nonce -> highest count used

    def __call__(self, request: Request, response: Response) -> list[tuple[str, str]] | None:
        """Give the header that answers the challenge, or None where it is not to be answered."""
        asked, answered = _FIELDS[response.status]
        challenges = [c for text in response.headers.get_all(asked) if (c := _read(text))]
        nc = 1 + max((self._uses.get(c.nonce, 0) for c in challenges), default=0)
        chosen = authorize(
            response.headers.get_all(asked),
            username=self._credentials.username,
            password=self._credentials.password,
            method=request.method,
            uri=str(request.uri),
            cnonce=self._token(),
            nc=nc,
            realms=self._credentials.realms,
            body=request.body,
        )
        if chosen is None:
            return None
        realm, value = chosen
        before = self._given_before(request, answered)
        given = before.get(realm, 0)
        stale = any(c.stale for c in challenges if c.realm == realm)
        if given > 1 or (given == 1 and not stale):
            return None
        self._given[value] = {**before, realm: given + 1}
        self._uses.update((c.nonce, nc) for c in challenges)
        return [(answered, value)]

    def _given_before(self, request: Request, name: str) -> dict[str, int]:
        """Count the answers that this request, and those it follows, have carried."""
        before: dict[str, int] = {}
        for value in request.headers.get_all(name):
            before.update(self._given.pop(value, {}))
        return before


def _read(text: str) -> Challenge | None:
    try:
        return Challenge.parse(text)
    except RemoteProtocolError:
        return None
