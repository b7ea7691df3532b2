"""What all calls share: engine and ports, agents, where their books are kept."""

import contextlib
import dataclasses
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address
from pathlib import Path

from opensip.agent.definition import Agent
from opensip.agent.seat import Seat
from opensip.call.agents import MakeAgent, Sounding, Talker, make_agent
from opensip.call.dialler import WayOut, way_out
from opensip.call.entry import Entry
from opensip.call.packing import Packer
from opensip.carriers import Trunk
from opensip.errors import ConfigError
from opensip.events import Observer
from opensip.media.engine import EVERYWHERE, Engine
from opensip.media.ports import PortPool
from opensip.media.recorder import Recorder
from opensip.media.recordings import Recordings
from opensip.media.session import MediaConfig, MediaSession


@dataclasses.dataclass(frozen=True, slots=True)
class Exchange:
    """The means of every call. `media` holds what trunks leave open: the addresses.

    `data` is the data directory; `observers` learn of the events of every call; `seat` makes
    the agents; `way_out` tells how calls of ours leave. Without `recordings` they lie in `data`
    as they are; `packer` packs them.
    """

    engine: Engine
    ports: PortPool
    media: MediaConfig
    agents: Mapping[str, Agent]
    data: Path
    now: Callable[[], float]
    observers: Sequence[Observer] = ()
    seat: MakeAgent = make_agent
    way_out: WayOut = way_out
    recordings: Recordings | None = None
    packer: Packer | None = None

    def open_entry(self) -> Entry:
        """Open the books of a new call under a new call id."""
        return Entry(
            "c-" + secrets.token_hex(6),
            self.data,
            now=self.now,
            started=datetime.now(UTC),
            others=self.observers,
        )

    def recorder(self, entry: Entry, rate: int, form: str) -> Recorder:
        """Make the recorder of a call, whose recording is of `form` once the call is over."""
        recordings = self.recordings or Recordings(self.data)
        recorder = recordings.recorder(entry.call_id, rate, entry)
        if self.packer is not None and form != "wav":
            entry.afterwards = partial(self.packer.add, entry.call_id, form)
        return recorder

    def open_media(self, trunk: Trunk, observer: Observer, *, host: str) -> MediaSession:
        """Bind the ports of a call of `trunk`; raises MediaError where there are none.

        `host` is our address as signalling has it: media that listen everywhere name it in SDP,
        and are of its kind, IPv4 or IPv6.
        """
        address, public = self.media.address, self.media.public_address
        if ip_address(address).is_unspecified:
            public = public or host
            address = EVERYWHERE[":" in public]
        config = dataclasses.replace(
            self.media,
            address=address,
            public_address=public,
            srtp=trunk.srtp,
            keying=trunk.keying if trunk.srtp != "off" else "sdes",
            codecs=trunk.codecs,
            first_timeout=trunk.first_timeout,
            silence_timeout=trunk.silence_timeout,
            change_codec=trunk.change_codec,
            symmetric=trunk.symmetric,
            hear_tones=trunk.hear_tones,
        )
        return MediaSession(self.engine, self.ports, config, observer=observer)

    @contextlib.asynccontextmanager
    async def seated(
        self, agent: str, line: Sounding, observer: Observer, variables: Mapping[str, str]
    ) -> AsyncIterator[tuple[Talker, Agent]]:
        """Seat the agent of that name for one call, as its called number has it; let it go after.

        Gives its definition too: a reload may change or take away what `agents` has of it.
        Raises ConfigError where there is none, or it cannot be made here.
        """
        definition = self.agents.get(agent)
        if definition is None:
            known = ", ".join(sorted(self.agents)) or "none"
            raise ConfigError(f"no agent {agent!r}: known are {known}")
        seat = Seat(
            source=line.source, sink=line.sink, observer=observer, now=self.now, variables=variables
        )
        definition = definition.at(variables.get("called", ""))
        talker = self.seat(definition, seat)
        try:
            await talker.prepare()
            yield talker, definition
        finally:
            await talker.close()
