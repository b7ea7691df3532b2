"""Asking a trunk with OPTIONS, again and again, whether it is there: RFC 3261 section 11."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import structlog

from opensip.errors import TransactionTimeout, TransportFailed
from opensip.sip.flow import Flow
from opensip.sip.message import Request
from opensip.sip.uri import NameAddr, Uri
from opensip.ua.core import Core
from opensip.ua.question import Answer, ask_any, make_request
from opensip.ua.ways import Destination, Ways

log = structlog.get_logger(__name__)

State = Literal["unknown", "up", "down"]


@dataclass(frozen=True, slots=True)
class ProbeConfig:
    """Whom to ask, by which way, and how many seconds lie between two questions."""

    uri: Uri
    destination: Destination
    seconds: float


class Probe:
    """The state of one trunk as its answers to OPTIONS show it.

    Every answer but 503 and 408 says that it is up, whatever it thinks of the question. A
    target that does not answer is left out by calls as well, for they share the blacklist.
    """

    def __init__(
        self, core: Core, config: ProbeConfig, *, find_ways: Callable[[Destination], Ways]
    ) -> None:
        self.state: State = "unknown"
        self._core = core
        self._config = config
        self._find_ways = find_ways
        self._loop = asyncio.get_running_loop()
        self._said = ""
        self._milliseconds: float | None = None
        self._changed = self._asked = self._loop.time()

    def status(self) -> dict[str, Any]:
        """Tell how it stands, for people and programs."""
        now = self._loop.time()
        return {
            "state": self.state,
            "said": self._said,
            "milliseconds": self._milliseconds,
            "seconds_ago": round(now - self._asked),
            "seconds_in_state": round(now - self._changed),
        }

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self.ask()
            await asyncio.sleep(self._config.seconds)

    async def ask(self) -> None:
        """Ask once."""
        try:
            answer = await ask_any(
                self._core, self._request, self._find_ways(self._config.destination)
            )
        except (TransactionTimeout, TransportFailed) as error:
            self._note("down", str(error), None)
        else:
            status = answer.response.status
            said = f"{status} {answer.response.reason} from {_from(answer)}"
            state: State = "down" if status in (408, 503) else "up"
            self._note(state, said, round(answer.seconds * 1000, 1))

    def _note(self, state: State, said: str, milliseconds: float | None) -> None:
        self._asked = self._loop.time()
        self._said, self._milliseconds = said, milliseconds
        if state != self.state:
            self.state, self._changed = state, self._asked
            tell = log.info if state == "up" else log.warning
            tell("probe_changed", uri=str(self._config.uri), state=state, said=said)

    def _request(self, flow: Flow) -> Request:
        return options(self._core, self._config.uri, flow)


def options(core: Core, uri: Uri, flow: Flow) -> Request:
    """Make an OPTIONS request to a URI."""
    contact = core.contact(flow, secure=uri.is_secure)
    return make_request(
        "OPTIONS",
        uri,
        from_=NameAddr.parse(contact).uri,
        to=uri,
        tag=core.token(),
        call_id=core.token(),
        cseq=1,
        headers=(
            ("Contact", contact),
            ("Accept", "application/sdp"),
            ("User-Agent", core.user_agent),
        ),
    )


def _from(answer: Answer) -> str:
    host, port = answer.flow.remote
    return f"{answer.flow.transport} {f'[{host}]' if ':' in host else host}:{port}"
