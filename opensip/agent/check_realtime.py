"""The mistakes of agents whose providers hear and speak at once: models and bots."""

import difflib
from collections.abc import Iterator
from dataclasses import fields
from urllib.parse import urlsplit

from opensip.agent.definition import Account, Agent
from opensip.agent.providers import NEEDS_MODEL, PROVIDERS

BOT = "stream"  # the provider of bots
_LONGEST_SILENCE = 300.0  # seconds before a bot's first sound: longer stays nobody
_IDLE_SECONDS = next(one.default for one in fields(Agent) if one.name == "idle_seconds")
LONGEST = 10.0  # seconds that a caller may be asked to wait for a service


def check_realtime(agent: Agent) -> Iterator[str]:
    """Name the mistakes of `realtime` and of the accounts that it names."""
    if not agent.realtime:
        yield "realtime: name at least one of [providers]: a model that speaks, or a bot"
    for name in agent.realtime:
        if name in agent.providers:
            yield from _account(name, agent.providers[name])
            yield from _hears_a_yes(name, agent)
        else:
            close = difflib.get_close_matches(name, agent.providers, n=1, cutoff=0.5)
            hint = f"; did you mean {close[0]!r}?" if close else f": add [providers.{name}]"
            yield f"realtime: no provider {name!r}{hint}"
    if not speaks_by_model(agent):
        yield from _keeps_no_time(agent)
    first = agent.providers.get(agent.realtime[0]) if agent.realtime else None
    if agent.kind == "stream" and first and first.provider != BOT:
        yield f'kind: "stream" begins with a bot, but {agent.realtime[0]!r} is none: "realtime"'


def speaks_by_model(agent: Agent) -> bool:
    """Tell whether a model is among the providers, that wants a persona."""
    accounts = (agent.providers.get(name) for name in agent.realtime)
    return any(account and account.provider in NEEDS_MODEL for account in accounts)


def _account(name: str, account: Account) -> Iterator[str]:
    where = f"providers.{name}"
    if account.provider not in PROVIDERS["realtime"]:
        known = " and ".join(sorted(PROVIDERS["realtime"]))
        yield f"{where}.provider: {account.provider!r} does not hear and speak at once; {known} do"
    elif account.provider == BOT:
        if why := no_url(account.base_url, "ws", "URL of the bot"):
            yield f"{where}.base_url: {why}"
        if not 0 <= account.first_sound_seconds <= _LONGEST_SILENCE:
            yield f"{where}.first_sound_seconds: must be 0 to {_LONGEST_SILENCE:g}"
    else:
        if account.base_url and (why := no_url(account.base_url, "http", "URL")):
            yield f"{where}.base_url: {why}"
        if not (account.base_url or account.api_key):
            yield f"{where}.api_key: is missing; write env:NAME or file:PATH, or a base_url"
        if not account.realtime_model:
            yield f"{where}.realtime_model: is missing, and realtime names {name!r}"
    if not 0 < account.realtime_seconds <= LONGEST:
        yield f"{where}.realtime_seconds: must be more than 0 and at most {LONGEST:g}"


def _keeps_no_time(agent: Agent) -> Iterator[str]:
    """A bot knows itself what silence means."""
    given = {
        "idle_seconds": agent.idle_seconds != _IDLE_SECONDS,
        "idle_prompts": bool(agent.idle_prompts),
    }
    yield from (
        f"{key}: a bot asks a silent caller itself, and ends the call itself; take it out"
        for key, is_given in given.items()
        if is_given
    )


def _hears_a_yes(name: str, agent: Agent) -> Iterator[str]:
    """Without a transcript nobody but the model would know what the caller agreed to."""
    account = agent.providers[name]
    waits = [tool for tool, table in agent.tools.items() if table.confirm]
    if waits and account.provider in NEEDS_MODEL and not account.recognizer_model:
        yield (
            f"providers.{name}.recognizer_model: is missing, and tools.{waits[0]}.confirm wants the"
            " caller's words"
        )


def no_url(url: str, scheme: str, what: str) -> str:
    """Tell what nobody can connect to in a URL, mostly without it: it may hold a password."""
    if not url.startswith((f"{scheme}://", f"{scheme}s://")):
        return f"{url!r} is no {scheme}:// or {scheme}s:// {what}"
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises ValueError where it is none
    except ValueError:
        return "has a host or port that is none; write host:port, and [host] for IPv6"
    if not parts.hostname:
        return "names no host"
    if parts.fragment:
        return "has a part behind #, which no server is sent: leave it out"
    if parts.username is not None and parts.password is None:
        return "names a user without a password: write user:password@, or use api_key"
    return ""
