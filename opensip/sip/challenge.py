"""Digest authentication as a client: RFC 7616 section 3.4, RFC 8760."""

import hashlib
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

from opensip.errors import RemoteProtocolError
from opensip.sip.grammar import TOKEN, quote, refuse, split, unquote


def md5(data: bytes) -> str:
    """Hash to hexadecimal."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def sha256(data: bytes) -> str:
    """Hash to hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def sha512_256(data: bytes) -> str:
    """Hash to hexadecimal; ValueError where the platform's OpenSSL has no such hash."""
    return hashlib.new("sha512_256", data).hexdigest()


# Weakest first: `authorize` takes the last that the challenger offers.
HASHES: dict[str, Callable[[bytes], str]] = {"MD5": md5, "SHA-256": sha256}
if "sha512_256" in hashlib.algorithms_available:
    HASHES["SHA-512-256"] = sha512_256
QOPS = ("auth", "auth-int")  # best first
_RANKS = {name: rank for rank, name in enumerate(HASHES)}


@dataclass(frozen=True, slots=True)
class Challenge:
    """A WWW-Authenticate or Proxy-Authenticate of the scheme Digest."""

    realm: str
    nonce: str
    algorithm: str | None
    qop: tuple[str, ...]
    opaque: str | None
    stale: bool

    @classmethod
    def parse(cls, text: str) -> "Challenge":
        """Read it; raise RemoteProtocolError if it is no Digest challenge."""
        params = parse_digest(text)
        if "realm" not in params or "nonce" not in params:
            raise refuse("challenge", text)
        qop = tuple(q.strip().lower() for q in params.get("qop", "").split(",") if q.strip())
        stale = params.get("stale", "").lower() == "true"
        return cls(
            params["realm"],
            params["nonce"],
            params.get("algorithm"),
            qop,
            params.get("opaque"),
            stale,
        )


def authorize(
    challenges: Sequence[str],
    *,
    username: str,
    password: str,
    method: str,
    uri: str,
    cnonce: str,
    nc: int,
    realms: Container[str] | None,
    body: bytes = b"",
) -> tuple[str, str] | None:
    """Answer the strongest challenge that we can answer and whose realm is one of `realms`.

    `challenges` are the values of WWW-Authenticate or Proxy-Authenticate; `realms` None means
    any realm; `body` is the request's. Returns (realm, value of the Authorization header), or
    None. "auth" is preferred to "auth-int": on its way a border controller may change the body.
    """
    able = [c for c in map(_supported, challenges) if c and (realms is None or c.realm in realms)]
    if not able:
        return None
    chosen = max(able, key=lambda c: _RANKS[base_algorithm(c.algorithm)])
    qop = next((q for q in QOPS if q in chosen.qop), None)
    response = digest_response(
        chosen.algorithm or "MD5",
        username=username,
        realm=chosen.realm,
        password=password,
        method=method,
        uri=uri,
        nonce=chosen.nonce,
        qop=qop,
        nc=f"{nc:08x}",
        cnonce=cnonce,
        body=body,
    )
    who = f"username={quote(username)}, realm={quote(chosen.realm)}"
    what = f'nonce={quote(chosen.nonce)}, uri={quote(uri)}, response="{response}"'
    return chosen.realm, f"Digest {who}, {what}{_rest(chosen, qop, nc, cnonce)}"


def _rest(chosen: Challenge, qop: str | None, nc: int, cnonce: str) -> str:
    """Write what depends on the challenge: algorithm, cnonce, qop, nc, opaque."""
    value = f", algorithm={chosen.algorithm}" if chosen.algorithm else ""
    if qop or is_session(chosen.algorithm):  # the hash of a session needs the nonce of both
        value += f", cnonce={quote(cnonce)}"
    value += f", qop={qop}, nc={nc:08x}" if qop else ""
    return value + (f", opaque={quote(chosen.opaque)}" if chosen.opaque is not None else "")


def digest_response(
    algorithm: str,
    *,
    username: str,
    realm: str,
    password: str,
    method: str,
    uri: str,
    nonce: str,
    qop: str | None,
    nc: str | None,
    cnonce: str | None,
    body: bytes = b"",
) -> str:
    """Compute the response parameter: RFC 7616 section 3.4.1; without qop as RFC 2069."""
    digest = HASHES[base_algorithm(algorithm)]
    ha1 = digest(octets(f"{username}:{realm}:{password}"))
    return response_of(
        algorithm,
        ha1,
        method=method,
        uri=uri,
        nonce=nonce,
        qop=qop,
        nc=nc,
        cnonce=cnonce,
        body=body,
    )


def response_of(
    algorithm: str,
    ha1: str,
    *,
    method: str,
    uri: str,
    nonce: str,
    qop: str | None,
    nc: str | None,
    cnonce: str | None,
    body: bytes = b"",
) -> str:
    """Compute it from the hash of user:realm:password."""
    digest = HASHES[base_algorithm(algorithm)]
    if is_session(algorithm):
        ha1 = digest(octets(f"{ha1}:{nonce}:{cnonce}"))
    a2 = f"{method}:{uri}"
    if qop == "auth-int":
        a2 += f":{digest(body)}"
    ha2 = digest(octets(a2))
    middle = f"{nonce}:{nc}:{cnonce}:{qop}" if qop else nonce
    return digest(octets(f"{ha1}:{middle}:{ha2}"))


def _supported(text: str) -> Challenge | None:
    try:
        challenge = Challenge.parse(text)
    except RemoteProtocolError:
        return None  # another scheme: RFC 3261 section 22.1 lets us pass over it
    if base_algorithm(challenge.algorithm) not in HASHES:
        return None
    return challenge if not challenge.qop or set(QOPS) & set(challenge.qop) else None


def is_session(algorithm: str | None) -> bool:
    """Tell whether the algorithm hashes both nonces into the secret."""
    return (algorithm or "").upper().endswith("-SESS")


def base_algorithm(algorithm: str | None) -> str:
    """Name the hash of an algorithm, in upper case; MD5 where none is named."""
    return (algorithm or "MD5").upper().removesuffix("-SESS")


def parse_digest(text: str) -> dict[str, str]:
    """Read the parameters of a Digest header value, unquoted, each once, names in lower case."""
    scheme, _, rest = text.strip().partition(" ")
    if scheme.lower() != "digest":
        raise refuse("scheme", scheme)
    params: dict[str, str] = {}
    for part in split(rest, ","):
        name, equals, value = part.partition("=")
        name, value = name.strip().lower(), value.strip()
        if not equals or not TOKEN.fullmatch(name) or name in params:
            raise RemoteProtocolError(f"bad parameter of Digest: {name[:40]!r}")
        params[name] = unquote(value)
    return params


def octets(text: str) -> bytes:
    """Give the octets that came on the wire for `text`."""
    return text.encode("utf-8", "surrogateescape")
