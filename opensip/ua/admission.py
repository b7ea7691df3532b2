"""Who may call: a request is matched to a trunk, challenged, refused or passed over.

Pure. The cheapest test comes first: source network, then digest, then number.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from socket import AF_INET, inet_pton
from typing import Literal

from opensip.errors import RemoteProtocolError
from opensip.sip.challenge import base_algorithm, parse_digest
from opensip.sip.digest import (
    ALGORITHMS,
    NONCE_SECONDS,
    Accepted,
    DigestVerifier,
    Ha1,
    Refused,
    Stale,
)
from opensip.sip.flow import Flow
from opensip.sip.message import Request
from opensip.sip.reasons import reason_of
from opensip.ua.credentials import Credentials

MAX_GUESSES = 10  # wrong passwords of one source, then silence
SILENCE = 60.0  # seconds
MAX_SOURCES = 10_000  # of which guesses are counted: a bound on memory under attack


@dataclass(frozen=True, slots=True)
class TrunkAdmission:
    """What opens the door to one trunk.

    `networks` alone: the source decides. `users` alone: digest decides. Both: both are needed,
    or with `any` either. `numbers` (E.164) tell trunks apart that the first two do not.
    `algorithms` are those of the challenges that its users answer.
    `trusted`: identity and private headers of the trunk are believed. `normalise` brings a
    called number to E.164 by the trunk's country; without it that of `Admission` is used.
    `credentials` answer its challenges to our requests in calls that it brought.
    """

    name: str
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    users: Mapping[str, Ha1] = field(default_factory=dict)
    algorithms: tuple[str, ...] = ALGORITHMS
    any: bool = False
    numbers: tuple[str, ...] = ()
    trusted: bool = False
    normalise: Callable[[str], str] | None = None
    credentials: Credentials | None = None

    @property
    def opens_by_source(self) -> bool:
        """True if the right source network is enough."""
        return bool(self.networks) and (self.any or not self.users)

    @property
    def opens_by_digest(self) -> bool:
        """True if the right password is enough, wherever it comes from."""
        return bool(self.users) and (self.any or not self.networks)


@dataclass(frozen=True, slots=True)
class Admit:
    """The request is the trunk's. `user` proved a password, or is None."""

    trunk: str
    user: str | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """Answer 401 with these headers, stateless. `why` is empty for a first challenge."""

    headers: list[tuple[str, str]]
    stale: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer once, stateless. `why` says which test failed, for the log."""

    status: int
    reason: str
    why: str


@dataclass(frozen=True, slots=True)
class Ignore:
    """Do not answer. `why` says which test failed, for the log."""

    why: str


Decision = Admit | Challenge | Refuse | Ignore


class Admission:
    """Decides on each request outside a dialog.

    `secret` (random, per process) makes the nonces of `realm`; `strangers` get nothing
    ("silent") or one 403 ("refuse"); `normalise` brings a called number to E.164.
    """

    def __init__(
        self,
        trunks: Sequence[TrunkAdmission],
        *,
        realm: str,
        secret: bytes,
        strangers: Literal["silent", "refuse"] = "silent",
        normalise: Callable[[str], str],
        nonce_seconds: float = NONCE_SECONDS,
    ) -> None:
        self._trunks = tuple(trunks)
        self._by_name = {trunk.name: trunk for trunk in trunks}
        self._verifier = DigestVerifier(secret, realm, nonce_seconds)
        self._strangers = strangers
        self._normalise = normalise
        self._anywhere = tuple(trunk for trunk in trunks if trunk.opens_by_digest)
        self._guesses: dict[str, tuple[int, float]] = {}  # source -> (count, time of the last)
        self._by_prefix = _by_prefix(self._trunks)

    def trunk(self, name: str) -> TrunkAdmission:
        """Give the trunk of an `Admit`."""
        return self._by_name[name]

    def decide(self, request: Request, flow: Flow, *, now: float) -> Decision:
        """Match a request to a trunk: by source, longest prefix; then user; then number."""
        source = flow.remote[0]
        nearest = self._nearest(source)
        if len(nearest) == 1 and nearest[0].opens_by_source:
            return Admit(nearest[0].name)
        candidates = (*(t for t in nearest if t.users), *self._anywhere)
        credentials = self._credentials(request) if candidates else None
        verdict: Challenge | Ignore | None = None
        if credentials is not None:
            decided = self._verify(credentials, request, source, candidates, now)
            if isinstance(decided, Admit):
                return decided
            verdict = decided
        if nearest:
            chosen = self._by_number(request, nearest)
            if chosen.opens_by_source:
                return Admit(chosen.name)
        if candidates:
            return verdict or self._challenge(source, candidates, now)
        return self._stranger(source)

    def is_known(self, source: str) -> bool:
        """Tell whether a source is in the networks of some trunk."""
        return bool(self._nearest(source))

    def _verify(
        self,
        credentials: str,
        request: Request,
        source: str,
        candidates: Sequence[TrunkAdmission],
        now: float,
    ) -> Admit | Challenge | Ignore:
        if self._is_silenced(source, now):
            return Ignore(f"{MAX_GUESSES} wrong passwords from {source}")
        answered = base_algorithm(parse_digest(credentials).get("algorithm"))
        able = [trunk for trunk in candidates if answered in trunk.algorithms]
        if len(able) > 1:  # two trunks may have a user of one name: the number tells which is meant
            meant = self._by_number(request, able)
            able.sort(key=lambda trunk: trunk is not meant)
        verdict = self._verifier.verify(
            credentials,
            method=request.method,
            uri=str(request.uri),
            source=source,
            lookup=lambda user: _hash_of(user, able),
            now=now,
            body=request.body,
        )
        match verdict:
            case Accepted(user):
                self._guesses.pop(source, None)
                secret = _hash_of(user, able)
                holders = [t for t in able if t.users.get(user) == secret]
                return Admit(self._by_number(request, holders).name, user)
            case Stale(why):
                why = f"digest: {why}"
                return self._challenge(source, candidates, now, stale=True, why=why)
            case Refused(why, guess):
                if guess:
                    self._count_guess(source, now)
                hint = self._hint(credentials) if why == "unknown user" else ""
                return self._challenge(source, candidates, now, why=f"digest: {why}{hint}")

    def _challenge(
        self,
        source: str,
        candidates: Sequence[TrunkAdmission],
        now: float,
        *,
        stale: bool = False,
        why: str = "",
    ) -> Challenge:
        algorithms = {name for trunk in candidates for name in trunk.algorithms}
        values = self._verifier.challenge(source, now=now, stale=stale, algorithms=algorithms)
        return Challenge([("WWW-Authenticate", value) for value in values], stale, why)

    def _stranger(self, source: str) -> Refuse | Ignore:
        why = f"source {source} is in no trunk's networks, and no trunk opens by digest alone"
        if self._strangers == "silent":
            return Ignore(why)
        return Refuse(403, reason_of(403), why)

    def _credentials(self, request: Request) -> str | None:
        """Find the Authorization that is meant for us: it names our realm."""
        for value in request.headers.get_all("Authorization"):
            try:
                if parse_digest(value).get("realm") == self._verifier.realm:
                    return value
            except RemoteProtocolError:
                continue  # another scheme, or not readable: as if it were not there
        return None

    def _by_number(self, request: Request, trunks: Sequence[TrunkAdmission]) -> TrunkAdmission:
        """Choose the trunk that lists the called number, or one that lists none, or the first."""
        if len(trunks) == 1:
            return trunks[0]
        called = request.uri.user or ""
        for trunk in trunks:
            if (trunk.normalise or self._normalise)(called) in trunk.numbers:
                return trunk
        return next((trunk for trunk in trunks if not trunk.numbers), trunks[0])

    def _nearest(self, source: str) -> tuple[TrunkAdmission, ...]:
        """Find the trunks whose networks hold the source with the longest prefix."""
        version, address = _number_of(source)
        for of, shift, trunks in self._by_prefix:
            if of == version and (found := trunks.get(address >> shift)):
                return found
        return ()

    def _hint(self, credentials: str) -> str:
        """Tell the log of a user who is known, but not from this source."""
        user = parse_digest(credentials).get("username", "")
        names = [t.name for t in self._trunks if user in t.users and not t.opens_by_digest]
        return f" (known on trunk {names[0]}, within its networks)" if names else ""

    def _is_silenced(self, source: str, now: float) -> bool:
        count, last = self._guesses.get(source, (0, now))
        if now - last > SILENCE:
            del self._guesses[source]
            return False
        return count >= MAX_GUESSES

    def _count_guess(self, source: str, now: float) -> None:
        count, _ = self._guesses.pop(source, (0, now))
        if len(self._guesses) >= MAX_SOURCES:
            del self._guesses[next(iter(self._guesses))]
        self._guesses[source] = (count + 1, now)


def _by_prefix(
    trunks: Iterable[TrunkAdmission],
) -> list[tuple[int, int, dict[int, tuple[TrunkAdmission, ...]]]]:
    """Order the networks of trunks, the longest prefix first: version, shift, trunks by number.

    A look-up is one per length of prefix: a flood from forged sources asks for each anew.
    """
    found: dict[tuple[int, int], dict[int, tuple[TrunkAdmission, ...]]] = {}
    for trunk in trunks:
        for network in dict.fromkeys(trunk.networks):
            shift = network.max_prefixlen - network.prefixlen
            numbers = found.setdefault((network.version, shift), {})
            number = int(network.network_address) >> shift
            numbers[number] = (*numbers.get(number, ()), trunk)
    return [(version, shift, found[version, shift]) for version, shift in sorted(found)]


def _number_of(source: str) -> tuple[int, int]:
    """Give version and number of an address; (0, 0) for what is none."""
    try:
        return 4, int.from_bytes(inet_pton(AF_INET, source))
    except OSError:
        pass  # no IPv4
    try:
        address = ip_address(source.partition("%")[0])
    except ValueError:
        return 0, 0
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.version, int(address)


def _hash_of(user: str, trunks: Sequence[TrunkAdmission]) -> Ha1 | None:
    return next((trunk.users[user] for trunk in trunks if user in trunk.users), None)
