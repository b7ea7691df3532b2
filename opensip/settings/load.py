"""Loads opensip.toml and the trunk and agent files that it names; tells every mistake at once."""

import dataclasses
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any

from opensip.agent.check import check
from opensip.agent.definition import LINE_TESTS, Agent
from opensip.agent.replies import REPLIES
from opensip.carriers import Trunk
from opensip.errors import ConfigError
from opensip.net.guarded_https import https_context
from opensip.net.sti import anchors
from opensip.net.tls import TlsConfig, client_context, server_context
from opensip.settings import directory, ports, talking, trunks
from opensip.settings.schema import ListenerTable, ServerTable, TlsTable, TrunkTable
from opensip.settings.table import Mistakes, Reading, below, names_doubtful, read


@dataclass(frozen=True, slots=True)
class Settings:
    """A configuration that fits together. `warnings` says what works but should not be.

    `unable` says which agents can take no call, for this machine lacks what they need.
    """

    file: Path
    server: ServerTable
    trunks: tuple[Trunk, ...]
    agents: Mapping[str, Agent]
    warnings: tuple[str, ...] = ()
    unable: tuple[str, ...] = ()


def load(file: Path, *, environ: Mapping[str, str] | None = None) -> Settings:
    """Load `file` and what it names; raises Mistakes with every one found."""
    # Lenient: mistakes are no reason to keep back those of other tables and of other files.
    reading = Reading(file, environ, lenient=True)
    server = read(ServerTable, parse(reading), reading) or ServerTable()
    found = list(reading.mistakes)
    unable: list[str] = []
    agents = _load_agents(server, reading, found, unable)
    tables = _load_trunks(server, reading, found)
    anchored = server.identity.anchors is not None or _doubted(reading, "identity")
    for one in tables:
        found += _trunk_mistakes(one, agents, anchored=anchored)
    countries = {one.table.country for one in tables if "country" not in one.places} or {"US"}
    found += _entry_mistakes(server, file, countries, tuple(found))
    if not found:  # an agent that could not be read may have the entries
        found += [f"{file}: {what}" for what in directory.unused(server.directory, agents.values())]
    if not _doubted(reading, "tls", "sip.listeners") and "sip" not in reading.places:
        found += _tls_mistakes(server, file)
    found += _identity_mistakes(server, file)
    if found:
        raise Mistakes(found)
    made = [trunks.make_trunk(one.name, one.table, realm=server.sip.realm) for one in tables]
    warnings = (
        *reading.warnings,
        *_warnings(server, made),
        *talking.warnings(agents.values()),
        *directory.warnings(agents.values(), countries),
        *directory.of_trunks(agents, made),
        *talking.unspoken(agents, made),
    )
    return Settings(file, server, tuple(made), agents, warnings, tuple(unable))


def parse(reading: Reading) -> dict[str, Any]:
    """Parse the TOML of `reading.file`, or raise ConfigError that names file, line and remedy."""
    try:
        with reading.file.open("rb") as opened:
            return tomllib.load(opened)
    except FileNotFoundError as error:
        text = f"there is no file {reading.file}: name it (a server's by --config FILE)"
        raise ConfigError(text) from error
    except OSError as error:
        raise ConfigError(f"{reading.file} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{reading.file} is no TOML: {error}") from error


def tls_config(tls: TlsTable, listener: ListenerTable) -> TlsConfig:
    """Join our certificate and what a listener says about TLS."""
    return TlsConfig(
        certificate=tls.certificate,
        key=tls.key,
        ca=tls.ca,
        profile=listener.profile,
        require_client_certificate=listener.require_client_certificate,
    )


def _load_agents(
    server: ServerTable, main: Reading, found: list[str], unable: list[str]
) -> dict[str, Agent]:
    agents = {name: Agent(name=name, kind=name) for name in LINE_TESTS}
    files: dict[str, Path] = {}
    for path in agent_paths(server, main.file, found):
        agent = read_agent(
            path, server, found, unable, main.environ, file=main.file, doubtful=main.places
        )
        if path.stem in files:
            found.append(
                f"{path}: there is an agent {path.stem!r} in {files[path.stem]}: rename one"
            )
        files[path.stem] = path
        # the mistakes of one that cannot be read are told; its numbers have none
        agents[path.stem] = agents["echo"] if agent is None else agent
    return agents


def agent_paths(server: ServerTable, file: Path, found: list[str]) -> Iterator[Path]:
    """Find the files of agents that the server's `file` names; a missing one goes to `found`."""
    return _files(server.agent_files, file, found)


def read_agent(
    path: Path,
    server: ServerTable,
    found: list[str],
    unable: list[str],
    environ: Mapping[str, str] | None,
    *,
    file: Path,
    doubtful: Iterable[str] = (),
) -> Agent | None:
    """Read an agent's file and check it: mistakes go to `found`, what is missing to `unable`.

    `file` is the server's, which may say where entries lead; `doubtful` are its wrong keys.
    """
    reading = Reading(path, environ, lenient=True)
    try:
        agent = read(Agent, parse(reading) | {"name": path.stem}, reading)
    except ConfigError as error:
        found.append(str(error))
        return None
    found += [_of_replies(what) for what in reading.mistakes]
    if agent is None:
        return None
    agent = _at(server, agent)
    wrong = [what for what in check(agent) if not _follows(what, reading.places)]
    also = [
        *directory.mistakes(directory.own_entries(agent, server.directory)),
        *talking.mistakes(agent, wrong, unable),
    ]
    wrong += [what for what in also if not _follows(what, reading.places | _places(wrong))]
    wrong = [what for what in wrong if not _of_server(what, doubtful)]
    told = [_where_it_stands(what, path, server, file) for what in wrong]
    found += [line for line in told if line not in found]  # agents may share an entry
    return None if wrong or reading.mistakes else agent


def _of_replies(what: str) -> str:
    """Tell of a reply at the top of a file where it belongs."""
    told = (name for name in REPLIES if f": {name}: unknown key" in what)
    name = next(told, "")
    return f"{what.partition('; ')[0]}; it belongs in [replies]" if name else what


def _where_it_stands(what: str, path: Path, server: ServerTable, file: Path) -> str:
    """Tell of a mistake of an agent in its own file, or in the server's, which goes before it."""
    key, _, told = what.partition(": ")
    name = key.removeprefix("directory.").removesuffix(".uri")
    if name in server.directory and key == f"directory.{name}.uri":
        return f"{file}: directory.{name}: {told}"
    return f"{path}: {what}"


def _entry_mistakes(
    server: ServerTable, file: Path, countries: set[str], found: Collection[str]
) -> Iterator[str]:
    """Find entries of the server that lead nowhere, where an agent's check has not `found` them."""
    for what in directory.mistakes(server.directory, countries):
        place = f"{file}: {what.partition(': ')[0]}: "
        if not any(line.startswith(place) for line in found):
            yield f"{file}: {what}"


def _places(wrong: Iterable[str]) -> set[str]:
    return {what.partition(": ")[0].removesuffix(".uri") for what in wrong}


def _follows(what: str, places: set[str]) -> bool:
    """Tell whether a mistake may come of another, in whose place something else was supposed."""
    key = what.partition(": ")[0]
    return any(_touches(key, place) for place in places)


def _of_server(what: str, doubtful: Iterable[str]) -> bool:
    """Tell whether a mistake of an agent may come of one in what the server has for all."""
    for place in doubtful:
        table, name, *_ = (*place.split("."), "")
        if table in ("providers", "directory"):
            told = (f"{table}.{name}", repr(name)) if name else (table.removesuffix("s"),)
            if any(word in what for word in told):
                return True
    return False


def _doubted(reading: Reading, *tables: str) -> bool:
    """Tell whether one of `tables`, or anything in it, is wrong."""
    return any(_touches(place, table) for place in reading.places for table in tables)


def _at(server: ServerTable, agent: Agent) -> Agent:
    """Join what the server has for an agent: where its entries lead, accounts with providers."""
    entries = {
        name: dataclasses.replace(entry, uri=server.directory.get(name, entry.uri))
        for name, entry in agent.directory.items()
    }
    accounts = {**server.providers, **agent.providers}
    return dataclasses.replace(agent, directory=entries, providers=accounts)


@dataclass(frozen=True, slots=True)
class _TrunkRead:
    """A trunk as a file has it: where that is, and the keys of it that are in doubt."""

    at: str
    name: str
    table: TrunkTable
    places: set[str]


def _load_trunks(server: ServerTable, main: Reading, found: list[str]) -> list[_TrunkRead]:
    tables = [
        _TrunkRead(f"{main.file}: {where}", name, table, below(where, main.places))
        for name, table in server.trunks.items()
        if (where := f"trunks.{name}") not in main.places
    ]
    places = {name: str(main.file) for name in server.trunks}
    for path in _files(server.trunk_files, main.file, found):
        reading = Reading(path, main.environ, lenient=True)
        if path.stem in places:
            found.append(
                f"{path}: there is a trunk {path.stem!r} in {places[path.stem]}: rename one"
            )
        places[path.stem] = str(path)
        try:
            table = read(TrunkTable, parse(reading), reading)
        except ConfigError as error:
            found.append(str(error))
            continue
        found += reading.mistakes
        main.warnings += reading.warnings
        if table is not None:
            tables.append(_TrunkRead(str(path), path.stem, table, reading.places))
    return tables


def _trunk_mistakes(
    one: _TrunkRead, agents: Mapping[str, Agent], *, anchored: bool
) -> Iterator[str]:
    is_placed = "country" not in one.places
    for key, what in trunks.mistakes(
        one.table, agents.keys(), anchored=anchored, is_placed=is_placed
    ):
        # a number in doubt is no reason to doubt the others
        others = {place for place in one.places if not place.startswith("numbers.")}
        near = any(_touches(key, place) or _touches(place, key) for place in one.places)
        if not near and not names_doubtful(what, others):
            yield f"{one.at}: {key}: {what}" if key else f"{one.at}: {what}"


def _touches(key: str, place: str) -> bool:
    return key == place or key.startswith((f"{place}.", f"{place}["))


def _files(patterns: tuple[str, ...], file: Path, found: list[str]) -> Iterator[Path]:
    given: set[Path] = set()
    for pattern in patterns:
        # not Path.glob: that takes no absolute pattern
        paths = sorted(map(Path, glob(str(file.parent / pattern))))
        if not paths and not set(pattern) & set("*?["):
            found.append(f"{file}: there is no file {file.parent / pattern}")
        yield from (path for path in paths if path not in given)
        given.update(paths)


def _tls_mistakes(server: ServerTable, file: Path) -> Iterator[str]:
    for number, listener in enumerate(server.listeners):
        if listener.transport == "TLS":
            try:
                server_context(tls_config(server.tls, listener))
            except ConfigError as error:
                yield f"{file}: sip.listeners[{number}]: {error}"
    ours = TlsConfig(server.tls.certificate, server.tls.key, server.tls.ca)
    if ours != TlsConfig() and not any(one.transport == "TLS" for one in server.listeners):
        try:
            client_context(ours)  # what we call out with
        except ConfigError as error:
            yield f"{file}: tls: {error}"


def _identity_mistakes(server: ServerTable, file: Path) -> Iterator[str]:
    table = server.identity
    try:
        if table.anchors is not None:
            anchors(table.anchors)
        if table.ca is not None:
            https_context(table.ca)
    except ConfigError as error:
        yield f"{file}: identity: {error}"


def _warnings(server: ServerTable, made: list[Trunk]) -> Iterator[str]:
    if not made:
        yield "there is no trunk, so nobody may call: opensip trunk add, or a file in trunk_files"
    of_media = server.media.first_port, server.media.last_port
    yield from ports.warnings(*of_media)
    yield from ports.shortage(*of_media, server.calls.max_calls)
    tls_listener = any(listener.transport == "TLS" for listener in server.listeners)
    for trunk in made:
        yield from trunks.warnings(
            trunk, tls_listener=tls_listener, anchored=server.identity.anchors is not None
        )
