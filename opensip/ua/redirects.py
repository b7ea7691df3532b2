"""Where a 3xx leads: RFC 3261 sections 8.1.3.4 and 19.1.5."""

from collections.abc import Callable

from opensip.errors import RemoteProtocolError
from opensip.sip.message import Request, Response
from opensip.sip.uri import NameAddr, Uri

MAX_REDIRECTS = 5  # of one call: more are a loop, or as good as one
_FOLLOWED = frozenset({300, 301, 302})  # 305 and 380 do not lead to the callee

MayFollow = Callable[[Uri], bool]


class Redirects:
    """Remembers where a call has been, so that a loop ends.

    `may_follow` decides on a target beside what holds for all: it is on one of the callee's own
    hosts, and as secure as the call was meant to be. Without it none is followed.
    """

    def __init__(self, may_follow: MayFollow | None) -> None:
        self._may_follow = may_follow
        self._seen: set[str] = set()

    def next_target(
        self, invite: Request, response: Response, is_own: Callable[[str], bool]
    ) -> Uri | None:
        """Choose where an INVITE goes next, the best first; None if it goes nowhere."""
        if self._may_follow is None or response.status not in _FOLLOWED:
            return None
        self._seen.add(str(invite.uri))
        if len(self._seen) > MAX_REDIRECTS:
            return None
        for uri in _targets(response):
            if str(uri) in self._seen or (invite.uri.is_secure and not uri.is_secure):
                continue
            own = uri.host.lower() == invite.uri.host.lower() or is_own(uri.host)
            if uri.scheme in ("sip", "sips") and own and self._may_follow(uri):
                return uri
        return None


def _targets(response: Response) -> list[Uri]:
    """Read the Contacts, by descending q; headers that they carry are never applied."""
    found = []
    for value in response.headers.readable_values("Contact"):
        try:
            address = NameAddr.parse(value)
            found.append((float(address.params.get("q") or 1), address.uri.without_headers()))
        except (RemoteProtocolError, ValueError):
            continue  # one that cannot be read leads nowhere
    return [uri for _, uri in sorted(found, key=lambda pair: -pair[0])]
