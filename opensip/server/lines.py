"""What the server keeps up towards its trunks: registrations and OPTIONS probes."""

import asyncio
import random
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

from opensip.call.dialler import Fields, credentials_of, destination, preloaded_route
from opensip.carriers import Trunk
from opensip.net.tls import TlsConfig
from opensip.settings import build
from opensip.settings.schema import ServerTable
from opensip.sip.uri import Uri
from opensip.ua.endpoint import Endpoint
from opensip.ua.probe import Probe, ProbeConfig
from opensip.ua.registration import Registration, RegistrationConfig
from opensip.ua.ways import Destination


@dataclass(slots=True)
class _Line:
    """One trunk and what runs for it."""

    trunk: Trunk
    registration: Registration | None = None
    probe: Probe | None = None
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(work))

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if self.registration is not None:
            await self.registration.leave()


class TrunkLines:
    """Registers and probes as the trunks say; `use` takes them anew after a reload."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._lines: dict[str, _Line] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._server: ServerTable | None = None

    def use(self, trunks: Iterable[Trunk], server: ServerTable) -> None:
        """Begin what new trunks want, end what others wanted; who is the same is left alone."""
        self._server = server
        wanted = {trunk.name: trunk for trunk in trunks}
        for name, line in tuple(self._lines.items()):
            if wanted.get(name) != line.trunk:
                del self._lines[name]
                task = asyncio.get_running_loop().create_task(line.end())
                self._ending.add(task)
                task.add_done_callback(self._ending.discard)
        for name, trunk in wanted.items():
            if name not in self._lines:
                self._lines[name] = self._begin(trunk, server)

    def status(self) -> list[dict[str, Any]]:
        """Tell of each trunk how registration and probe stand; None where it has none."""
        return [
            {
                "name": line.trunk.name,
                "carrier": line.trunk.carrier,
                "registration": line.registration.status() if line.registration else None,
                "probe": line.probe.status() if line.probe else None,
            }
            for line in self._lines.values()
        ]

    def way_out(self, trunk: Trunk, to: Uri) -> tuple[Destination, Fields]:
        """Tell how requests of a trunk go out: by its own TLS, and where its registrar says."""
        line, route = self._lines.get(trunk.name), preloaded_route(trunk)
        if line is None or line.trunk != trunk or self._server is None:
            return destination(trunk, to), route
        # RFC 3608 section 6.1: the service route is preloaded, behind a proxy of our own.
        served = line.registration.service_route if line.registration is not None else ()
        tls = build.client_tls(self._server, trunk)
        return destination(trunk, to, tls), (*route, *(("Route", value) for value in served))

    async def close(self) -> None:
        """End them all; registrations are taken back."""
        lines, self._lines = list(self._lines.values()), {}
        await asyncio.gather(*(line.end() for line in lines), *self._ending)

    def _begin(self, trunk: Trunk, server: ServerTable) -> _Line:
        line, core = _Line(trunk), self._endpoint.core
        tls = build.client_tls(server, trunk)
        if trunk.registrar:
            line.registration = Registration(
                core, _registration(trunk, tls), find_ways=core.ways, random=random.random
            )
            line.start(line.registration.run())
        if trunk.probe_seconds and trunk.termination:
            uri = Uri.parse(trunk.termination)
            config = ProbeConfig(uri, destination(trunk, uri, tls), trunk.probe_seconds)
            line.probe = Probe(core, config, find_ways=core.ways)
            line.start(line.probe.run())
        return line


def _registration(trunk: Trunk, tls: TlsConfig) -> RegistrationConfig:
    registrar = Uri.parse(trunk.registrar)
    address = (
        Uri.parse(trunk.address)
        if trunk.address
        else Uri(registrar.scheme, user=trunk.username, host=registrar.host)
    )
    return RegistrationConfig(
        registrar=registrar,
        address=address,
        destination=destination(trunk, registrar, tls),
        credentials=credentials_of(trunk, registrar),
        seconds=trunk.register_seconds,
    )
