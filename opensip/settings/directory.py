"""What can be wrong with the entries of directories: where callers may be passed to."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from opensip.agent.definition import Agent
from opensip.call.directory import is_number, is_over_tls, target_of
from opensip.call.emergency import is_emergency
from opensip.carriers import Trunk
from opensip.errors import NotAllowed, RemoteProtocolError
from opensip.settings.table import nearest
from opensip.sip.uri import Uri

_ANY_HOST = "host.invalid"  # in place of the peer's, which plain numbers are reached at


def mistakes(entries: Mapping[str, str], countries: Collection[str] = ("US",)) -> Iterator[str]:
    """Find entries that no caller could be passed to in calls of trunks of these countries."""
    for name in entries:
        if wrong := _wrong(name, entries, countries):
            yield f"directory.{name}: {wrong}"


def unused(entries: Mapping[str, str], agents: Iterable[Agent]) -> Iterator[str]:
    """Find entries of the server that no agent has, and so no caller is ever passed to."""
    known = {name for agent in agents for name in agent.directory}
    for name in entries.keys() - known:
        hint = nearest(name, known) if known else ": no agent has any"
        yield f"directory.{name}: no agent has this entry{hint}"


def own_entries(agent: Agent, ours: Collection[str]) -> dict[str, str]:
    """Give what an agent's own file says of its entries, save what `warnings` tells of."""
    return {
        name: entry.uri
        for name, entry in agent.directory.items()
        if name not in ours and not is_emergency(entry.uri)
    }


def warnings(agents: Iterable[Agent], countries: Collection[str]) -> Iterator[str]:
    """Find entries of agents that are never dialled: who asks for them is told so in the call."""
    for agent in agents:
        for name, entry in agent.directory.items():
            if any(is_emergency(entry.uri, country) for country in countries):
                yield (
                    f"agent {agent.name}: directory.{name}: {entry.uri!r} is an emergency number, "
                    "so nobody is ever passed to it; take it out"
                )


def of_trunks(agents: Mapping[str, Agent], trunks: Iterable[Trunk]) -> Iterator[str]:
    """Find entries that a call of our own reaches in the clear, or not at all."""
    for trunk in trunks:
        if "bridge" not in trunk.transfer:
            continue
        for name in sorted({route.agent for route in trunk.numbers.values()}):
            entries = {key: entry.uri for key, entry in agents[name].directory.items()}
            for key, uri in entries.items():
                if wrong := _bridged(key, entries, trunk):
                    yield f"trunk {trunk.name}: directory.{key} of agent {name}, {uri}, {wrong}"


def _bridged(name: str, entries: Mapping[str, str], trunk: Trunk) -> str:
    """Say what is wrong with calling an entry for callers of a trunk."""
    if is_emergency(entries[name], trunk.country):
        return ""  # nobody is passed to it
    uri = Uri.parse(target_of(name, entries, country=trunk.country, host=_ANY_HOST))
    if is_number(uri) and trunk.termination:
        return ""  # its media follow the trunk
    if uri.scheme == "tel" or uri.host == _ANY_HOST:
        return (
            "is a number, which only REFER reaches without outbound.termination: set that, or "
            "transfer = 'refer'"
        )
    if trunk.srtp == "required" and not is_over_tls(uri):
        return (
            "is not reached over TLS: srtp = 'required' does not hold for a call of our own to it, "
            "whose media are in the clear; let it take ;transport=tls"
        )
    return ""


def _wrong(name: str, entries: Mapping[str, str], countries: Collection[str]) -> str:
    try:
        for country in sorted(countries):
            Uri.parse(target_of(name, entries, country=country, host=_ANY_HOST))
    except NotAllowed as error:
        return f"{error}; write a sip:, sips: or tel: URI, or a number"
    except RemoteProtocolError as error:
        return f"{entries[name]!r} is no URI: {error}"
    return ""
