"""Makes the trunk records of `carriers` from what a trunk's file says and its carrier implies."""

from collections.abc import Collection, Iterator
from typing import Any

from opensip.audio.codecs import find
from opensip.call.directory import is_over_tls
from opensip.call.emergency import is_emergency
from opensip.call.transfer import STRATEGIES
from opensip.carriers import ANY_NUMBER, CARRIERS, Number, Trunk
from opensip.carriers.number import normalise
from opensip.errors import ConfigError, MissingExtra, RemoteProtocolError
from opensip.media.agreement import check_keying
from opensip.media.recording_convert import check_form
from opensip.net.tls import TlsConfig, client_context
from opensip.settings.schema import NumberTable, OutboundTable, TrunkTable, UserTable
from opensip.settings.table import nearest
from opensip.sip.digest import Ha1
from opensip.sip.uri import Uri

_SAME = (
    *(
        "country",
        "networks",
        "digest",
        "any",
        "trusted",
        "headers",
        "identity",
        "keying",
        "change_codec",
        "symmetric",
        "dtmf",
        "hear_tones",
        "recording_form",
        "consent",
        "refers",
        "refer_to_headers",
    ),
    *("tls_name", "client_certificate"),
    *("emergency_redirect", "max_calls", "max_seconds", "first_timeout", "silence_timeout"),
)
_CARRIERS_OWN = ("srtp", "tls", "codecs", "profile")


def make_trunk(name: str, table: TrunkTable, *, realm: str) -> Trunk:
    """Make the trunk `name`; `mistakes(table, …)` must have found nothing."""
    carrier = CARRIERS[table.carrier]
    values: dict[str, Any] = {key: getattr(table, key) for key in _SAME}
    for key in _CARRIERS_OWN:
        own = getattr(table, key)
        values[key] = getattr(carrier, key) if own is None else own
    if table.outbound is not None:
        values |= _outbound(table.outbound, table.country)
    return Trunk(
        name=name,
        carrier=table.carrier,
        users={user: _ha1(user, realm, entry) for user, entry in table.users.items()},
        numbers=dict(_numbers(table)),
        recording=table.recording == "on",
        transfer=_strategies(table),
        **values,
    )


def mistakes(
    table: TrunkTable,
    agents: Collection[str],
    *,
    anchored: bool = False,
    is_placed: bool = True,
) -> Iterator[tuple[str, str]]:
    """Find what is wrong with a trunk beyond its types: pairs of key and message.

    `anchored` tells whether there are roots to check signatures of callers' numbers with,
    `is_placed` whether its country is known, by which numbers are read.
    """
    if table.carrier not in CARRIERS:
        yield "carrier", f"no carrier {table.carrier!r}{nearest(table.carrier, CARRIERS)}"
    for number, entry in table.numbers.items():
        agent = entry if isinstance(entry, str) else entry.agent
        if agent not in agents:
            yield f"numbers.{number}", f"no agent {agent!r}{nearest(agent, agents)}"
    yield from _unknown_strategies(table)
    yield from _closed(table)
    if is_placed:
        yield from _unreached(table)
    yield from _outward(table)
    yield from _codecs(table)
    yield from _keying(table)
    yield from _unanchored(table, anchored)
    yield from _tls(table)
    yield from _uris(table)


def _unknown_strategies(table: TrunkTable) -> Iterator[tuple[str, str]]:
    for strategy in _strategies(table):
        if strategy not in STRATEGIES:
            yield "transfer", f"no strategy {strategy!r}{nearest(strategy, STRATEGIES)}"


def _uris(table: TrunkTable) -> Iterator[tuple[str, str]]:
    uris = {"emergency_redirect": table.emergency_redirect}
    if table.outbound is not None:
        for key in ("termination", "proxy", "registrar", "address"):
            uris[f"outbound.{key}"] = getattr(table.outbound, key)
    for key, uri in uris.items():
        if uri and (wrong := _wrong_uri(uri)):
            yield key, wrong


def _codecs(table: TrunkTable) -> Iterator[tuple[str, str]]:
    names = table.codecs or ()
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield "codecs", f"names {name!r} more than once"
        try:
            find(name)
        except MissingExtra as error:
            yield "codecs", str(error)
    try:
        check_form(table.recording_form)
    except MissingExtra as error:
        yield "recording_form", str(error)


def _keying(table: TrunkTable) -> Iterator[tuple[str, str]]:
    if table.keying == "sdes":
        return
    if table.srtp == "off":
        yield "keying", f"{table.keying!r} is of no use while srtp = 'off': take one of both out"
    try:
        check_keying(table.keying)
    except MissingExtra as error:
        yield "keying", str(error)


def _tls(table: TrunkTable) -> Iterator[tuple[str, str]]:
    if table.client_certificate and not table.networks:
        yield "client_certificate", "is asked for by source before TLS begins: set networks"
    out = table.outbound
    if out is not None and out.registrar and not (out.username or out.address):
        yield "outbound.registrar", "whom shall it know? set username or address"


def _unreached(table: TrunkTable) -> Iterator[tuple[str, str]]:
    """Find numbers that another one hides, and such as no agent answers."""
    seen: dict[str, str] = {}
    for key in table.numbers:
        number = key if key == ANY_NUMBER else normalise(key, table.country)
        first = seen.setdefault(number, key)
        if first != key:
            yield f"numbers.{key}", f"is {number}, as {first!r} is: keep one of them"
        elif is_emergency(key, table.country):
            yield f"numbers.{key}", "is an emergency number, which no agent may answer: take it out"


def _outward(table: TrunkTable) -> Iterator[tuple[str, str]]:
    """Find what keeps us from calling out by this trunk."""
    out = table.outbound
    if out is None:
        return
    if out.username and out.password is None:
        yield (
            "outbound.password",
            (f"is missing, with which {out.username!r} answers challenges: env:NAME or file:PATH"),
        )
    for number in out.caller_ids:
        if is_emergency(number, table.country):
            yield "outbound.caller_ids", f"{number!r} is an emergency number: nobody may show it"
    if out.key and not out.certificate:
        yield "outbound.key", "is of no use without outbound.certificate"
    if out.certificate or out.ca:
        profile = (
            table.tls or CARRIERS[table.carrier].tls if table.carrier in CARRIERS else "strict"
        )
        try:
            client_context(TlsConfig(out.certificate, out.key, out.ca, profile))
        except ConfigError as error:
            yield "outbound", str(error)


def _unanchored(table: TrunkTable, anchored: bool) -> Iterator[tuple[str, str]]:
    if table.identity == "enforce" and not anchored:
        yield "identity", "'enforce' turns every call away without roots: set [identity] anchors"


def _closed(table: TrunkTable) -> Iterator[tuple[str, str]]:
    if not table.networks and not table.users and table.outbound is None:
        yield "", "admits nobody and reaches nobody: set networks, users or outbound"
    if table.users and not table.digest:
        yield "digest", "names no algorithm, so that no user can answer: SHA-256, MD5 or both"


def warnings(trunk: Trunk, *, tls_listener: bool, anchored: bool = False) -> Iterator[str]:
    """Find what works but should not be: keys of SRTP sent in the clear, a check of nothing."""
    if trunk.identity == "prefer" and not anchored:
        yield (
            f"trunk {trunk.name}: identity = 'prefer', but without roots nothing can be proven "
            "wrong; set [identity] anchors"
        )
    if any(network.prefixlen == 0 for network in trunk.networks) and (trunk.any or not trunk.users):
        yield f"trunk {trunk.name}: its networks hold every address, so anybody may call"
    yield from _unrecorded(trunk)
    if trunk.srtp == "off":
        return
    travel = (
        "the keys of SRTP travel in the clear"
        if trunk.keying != "dtls"
        else "who is in between can change the fingerprints that DTLS trusts"
    )
    if (trunk.networks or trunk.users) and not tls_listener:
        yield (
            f"trunk {trunk.name}: srtp = {trunk.srtp!r}, but there is no TLS listener, so "
            f"{travel}; add one under [[sip.listeners]] (README, Bandwidth in 15 "
            "minutes, step 2), set srtp = 'off', or take the trunk away if it is only the example"
        )
    if trunk.termination and not is_over_tls(Uri.parse(trunk.termination)):
        yield (
            f"trunk {trunk.name}: srtp = {trunk.srtp!r}, but {trunk.termination} is not reached "
            f"over TLS, so {travel}; add ;transport=tls"
        )


def _unrecorded(trunk: Trunk) -> Iterator[str]:
    """Find what is said of recordings where nothing is recorded."""
    turned_on = 'set recording = "on" there, or take it out'
    recorded = {
        number: trunk.recording if entry.recording is None else entry.recording
        for number, entry in trunk.numbers.items()
    }
    if not trunk.recording and not any(recorded.values()):
        if trunk.recording_form != "wav":
            yield (
                f"trunk {trunk.name}: recording_form = {trunk.recording_form!r}, but none of its "
                f"calls are recorded; {turned_on}"
            )
        if trunk.consent:
            yield (
                f"trunk {trunk.name}: consent is never spoken, for none of its calls are "
                f"recorded; {turned_on}"
            )
    for number, entry in trunk.numbers.items():
        if entry.consent and not recorded[number]:
            yield (
                f"trunk {trunk.name}: numbers.{number}: consent is never spoken, for its calls are "
                f"not recorded; {turned_on}"
            )


def _wrong_uri(text: str) -> str:
    try:
        uri = Uri.parse(text)
    except RemoteProtocolError as error:
        return f"{text!r} is no SIP URI: {error}"
    return "" if uri.scheme in ("sip", "sips") else f"{text!r} is no sip: or sips: URI"


def _outbound(table: OutboundTable, country: str) -> dict[str, Any]:
    same = (
        *("termination", "username", "realms", "proxy", "certificate", "key", "ca"),
        *("registrar", "address", "register_seconds", "probe_seconds"),
    )
    return {
        **{key: getattr(table, key) for key in same},
        "password": table.password or "",
        "caller_ids": tuple(normalise(number, country) for number in table.caller_ids),
    }


def _ha1(user: str, realm: str, entry: UserTable) -> Ha1:
    if entry.password is not None:
        return Ha1.of(user, realm, entry.password)
    return Ha1(md5=entry.md5, sha256=entry.sha256)


def _numbers(table: TrunkTable) -> Iterator[tuple[str, Number]]:
    for key, entry in table.numbers.items():
        number = key if key == ANY_NUMBER else normalise(key, table.country)
        if isinstance(entry, NumberTable):
            recording = None if entry.recording is None else entry.recording == "on"
            yield number, Number(entry.agent, recording, entry.consent)
        else:
            yield number, Number(entry)


def _strategies(table: TrunkTable) -> tuple[str, ...]:
    """Give the names of ways to hand callers over; "auto" is all that there are, in turn."""
    if table.transfer == "auto":
        return tuple(STRATEGIES)
    return (table.transfer,) if isinstance(table.transfer, str) else table.transfer
