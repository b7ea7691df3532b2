"""Digest authentication as a server: RFC 7616, with the algorithms of RFC 8760."""

import base64
import binascii
import hmac
import re
import struct
from collections.abc import Callable, Container
from dataclasses import dataclass

from opensip.errors import RemoteProtocolError
from opensip.sip.challenge import (
    HASHES,
    QOPS,
    Challenge,
    authorize,
    base_algorithm,
    digest_response,
    md5,
    octets,
    parse_digest,
    response_of,
    sha256,
)
from opensip.sip.grammar import quote
from opensip.sip.uri import Uri

__all__ = [
    "ABLE",
    "ALGORITHMS",
    "NONCE_SECONDS",
    "Accepted",
    "Challenge",
    "DigestVerifier",
    "Ha1",
    "Refused",
    "Stale",
    "Verdict",
    "authorize",
    "digest_response",
]

ALGORITHMS = ("SHA-256", "MD5")  # of our challenges unless told otherwise
# What we can challenge with, best first (RFC 8760 section 2.4).
ABLE = tuple(name for name in ("SHA-512-256", "SHA-256", "MD5") if name in HASHES)
# Seconds that a nonce is good for: a phone answers a challenge within Timer B, or never.
NONCE_SECONDS = 30.0
_AHEAD = 1_000_000  # ns: nonces of one tick of the clock are numbered into the next
_NC = re.compile(r"[0-9A-Fa-f]{8}")


@dataclass(frozen=True, slots=True)
class Ha1:
    """Hashes of user:realm:password, hexadecimal: what a server keeps instead of a password.

    Where `sha512_256` was not kept it is "", and that algorithm never proves the user.
    """

    md5: str
    sha256: str
    sha512_256: str = ""

    @classmethod
    def of(cls, user: str, realm: str, password: str) -> "Ha1":
        """Hash a password."""
        secret = octets(f"{user}:{realm}:{password}")
        longest = HASHES["SHA-512-256"](secret) if "SHA-512-256" in HASHES else ""
        return cls(md5(secret), sha256(secret), longest)

    def of_algorithm(self, algorithm: str) -> str:
        """Give the hash of an algorithm as `base_algorithm` names it."""
        match algorithm:
            case "MD5":
                return self.md5
            case "SHA-256":
                return self.sha256
            case _:
                return self.sha512_256

    def __repr__(self) -> str:
        return "Ha1(***)"  # as good as the password: must not reach a log


@dataclass(frozen=True, slots=True)
class Accepted:
    """Right password, fresh nonce."""

    user: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Not proved. `why` is for our log; the peer gets the same new challenge in every case.

    `guess` is true for a wrong answer to a nonce that we gave to this very source: it cannot
    come from someone who merely forges the source address.
    """

    why: str
    guess: bool = False


@dataclass(frozen=True, slots=True)
class Stale:
    """Right password under a nonce that is no longer good: challenge with stale=true."""

    why: str


Verdict = Accepted | Refused | Stale


class DigestVerifier:
    """Challenges and verifies as a server. Holds no state for what it only challenged.

    A nonce is base64(time || HMAC(secret, time, source)). The highest nonce count of each is
    kept, after a valid digest only, for the last `table_size` nonces; one that is evicted is
    stale from then on. `secret` is random and lives as long as the process; `lifetime` of a
    nonce is in seconds. `source` stands for the peer, usually its address.
    """

    def __init__(
        self, secret: bytes, realm: str, lifetime: float = NONCE_SECONDS, table_size: int = 10_000
    ) -> None:
        self.realm = realm
        self._secret = secret
        self._lifetime = lifetime
        self._table_size = table_size
        self._counts: dict[str, int] = {}  # nonce -> highest nc, in the order of first use
        self._evicted_until = -(2**63)  # nonces up to this time and not in the table are stale
        self._last_issued = -(2**63)
        nobody = hmac.digest(secret, b"nobody", "sha256").hex()
        self._nobody = Ha1(nobody[:32], nobody, nobody)

    def challenge(
        self,
        source: str,
        *,
        now: float,
        stale: bool = False,
        algorithms: Container[str] = ALGORITHMS,
        qop: str = "auth",
    ) -> list[str]:
        """Make the values of WWW-Authenticate, best algorithm first.

        `qop` may be "auth,auth-int" where peers are to be able to protect the body too.
        """
        # Two challenges within one tick of the clock must differ, or their counts would mix.
        self._last_issued = max(_nanoseconds(now), self._last_issued + 1)
        nonce = self._nonce(self._last_issued, source)
        end = f', qop="{qop}", stale=true' if stale else f', qop="{qop}"'
        start = f"Digest realm={quote(self.realm)}, nonce={quote(nonce)}, algorithm="
        return [f"{start}{name}{end}" for name in ABLE if name in algorithms]

    def verify(
        self,
        authorization: str,
        *,
        method: str,
        uri: str,
        source: str,
        lookup: Callable[[str], Ha1 | None],
        now: float,
        body: bytes = b"",
    ) -> Verdict:
        """Judge the Authorization header of a request with `method` and `body` to `uri`."""
        try:
            params = parse_digest(authorization)
        except RemoteProtocolError as error:
            return Refused(str(error))
        if why := self._mismatch(params, uri):
            return Refused(why)
        user = params["username"]
        known = lookup(user)
        right = self._response(params, method, known or self._nobody, body)
        same = hmac.compare_digest(right.encode(), octets(params["response"].lower()))
        if not (same and known and known.of_algorithm(base_algorithm(params.get("algorithm")))):
            guess = self._issued(params["nonce"], source) is not None
            return Refused("wrong password" if known else "unknown user", guess)
        if why := self._use(params["nonce"], int(params["nc"], 16), source, now):
            return Stale(why)
        return Accepted(user)

    @property
    def remembered(self) -> int:
        """How many nonces have a count in the table."""
        return len(self._counts)

    def _mismatch(self, params: dict[str, str], uri: str) -> str:
        for name in ("username", "realm", "nonce", "uri", "response", "cnonce", "nc"):
            if not params.get(name):
                return f"no {name}"
        if params["realm"] != self.realm:
            return "another realm"
        if base_algorithm(params.get("algorithm")) not in ABLE:
            return "another algorithm"
        if params.get("qop", "").lower() not in QOPS:
            return "another qop"
        if not _NC.fullmatch(params["nc"]):
            return "bad nc"
        return "" if _same_uri(params["uri"], uri) else "another URI"

    def _response(self, params: dict[str, str], method: str, ha1: Ha1, body: bytes) -> str:
        algorithm = params.get("algorithm", "MD5")
        return response_of(
            algorithm,
            ha1.of_algorithm(base_algorithm(algorithm)),
            method=method,
            uri=params["uri"],
            nonce=params["nonce"],
            qop=params["qop"].lower(),
            nc=params["nc"],
            cnonce=params["cnonce"],
            body=body,
        )

    def _use(self, nonce: str, count: int, source: str, now: float) -> str:
        """Mark a nonce as used up to `count`; tell why it cannot be used, if so."""
        issued = self._issued(nonce, source)
        if issued is None:
            return "nonce is not ours"
        age = _nanoseconds(now) - issued
        if not -_AHEAD <= age <= self._lifetime * 1e9:
            return "nonce expired"
        highest = self._counts.get(nonce)
        if highest is None and issued <= self._evicted_until:
            return "nonce evicted"
        if highest is not None and count <= highest:
            return "nonce count repeated"
        if highest is None:
            self._make_room(now)
        self._counts[nonce] = count
        return ""

    def _make_room(self, now: float) -> None:
        oldest_live = _nanoseconds(now) - int(self._lifetime * 1e9)
        while self._counts:
            first = next(iter(self._counts))
            issued = _issued_at(_decode(first))
            if issued >= oldest_live and len(self._counts) < self._table_size:
                return
            del self._counts[first]
            self._evicted_until = max(self._evicted_until, issued)

    def _nonce(self, issued: int, source: str) -> str:
        stamp = struct.pack(">q", issued)
        mac = hmac.digest(self._secret, stamp + octets(source), "sha256")[:16]
        return base64.b64encode(stamp + mac).decode()

    def _issued(self, nonce: str, source: str) -> int | None:
        decoded = _decode(nonce)
        if len(decoded) != 24:
            return None
        issued = _issued_at(decoded)
        good = hmac.compare_digest(octets(nonce), self._nonce(issued, source).encode())
        return issued if good else None


def _same_uri(one: str, other: str) -> bool:
    if one == other:
        return True
    try:
        return Uri.parse(one).equivalent(Uri.parse(other))
    except RemoteProtocolError:
        return False


def _decode(nonce: str) -> bytes:
    try:
        return base64.b64decode(nonce, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _issued_at(decoded: bytes) -> int:
    return int(struct.unpack(">q", decoded[:8])[0])


def _nanoseconds(now: float) -> int:
    return int(now * 1e9)
