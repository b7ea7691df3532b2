"""What can be wrong with the entries of directories: where callers may be passed to."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from opensip.agent.definition import Agent
from opensip.call.directory import target_of
from opensip.call.emergency import is_emergency
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


def _wrong(name: str, entries: Mapping[str, str], countries: Collection[str]) -> str:
    try:
        for country in sorted(countries):
            Uri.parse(target_of(name, entries, country=country, host=_ANY_HOST))
    except NotAllowed as error:
        return f"{error}; write a sip:, sips: or tel: URI, or a number"
    except RemoteProtocolError as error:
        return f"{entries[name]!r} is no URI: {error}"
    return ""
