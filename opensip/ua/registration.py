"""Registering with a registrar, for as long as the endpoint runs: RFC 3261 section 10.2."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import structlog

from opensip.errors import RemoteProtocolError, TransactionTimeout, TransportFailed
from opensip.sip.flow import Flow
from opensip.sip.message import Request, Response
from opensip.sip.uri import NameAddr, Uri
from opensip.ua.core import Core
from opensip.ua.credentials import ChallengeAnswers, Credentials
from opensip.ua.options import ALLOW
from opensip.ua.question import ask_any, make_request
from opensip.ua.ways import Destination, Ways, retry_after

log = structlog.get_logger(__name__)

FIRST_RETRY = 30.0  # seconds; doubled with each failure (RFC 5626 section 4.5)
LONGEST_RETRY = 1800.0
LOOK = 20.0  # seconds between two looks at whether the connection still stands
GOODBYE = 2.0  # seconds that taking the registration back may take
LONGEST = 86_400 * 7  # seconds: no registrar's number moves our refresh beyond

State = Literal["trying", "registered", "refused", "unreachable"]


@dataclass(frozen=True, slots=True)
class RegistrationConfig:
    """Who is registered where. `seconds` is what we ask for; the registrar decides."""

    registrar: Uri
    address: Uri
    destination: Destination
    credentials: Credentials | None = None
    seconds: float = 3600.0


class Registration:
    """One address kept registered. `random` (0 up to 1) spreads the refreshes of many.

    `find_ways` gives the ways to a destination anew for each attempt: DNS may have changed.
    """

    def __init__(
        self,
        core: Core,
        config: RegistrationConfig,
        *,
        find_ways: Callable[[Destination], Ways],
        random: Callable[[], float],
    ) -> None:
        self.state: State = "trying"
        self.why = ""
        self.service_route: tuple[str, ...] = ()  # to be preloaded as Route (RFC 3608)
        self._core = core
        self._config = config
        self._find_ways = find_ways
        self._random = random
        self._loop = asyncio.get_running_loop()
        self._seconds = config.seconds
        self._until = 0.0
        self._call_id, self._tag = core.token(), core.token()
        self._cseq = 0
        self._failures = 0
        self._flow: Flow | None = None

    def status(self) -> dict[str, Any]:
        """Tell how it stands, for people and programs."""
        left = max(0, round(self._until - self._loop.time())) if self._until else 0
        return {
            "state": self.state,
            "address": str(self._config.address),
            "registrar": str(self._config.registrar),
            "seconds_left": left,
            "service_route": list(self.service_route),
            "why": self.why,
        }

    async def run(self) -> None:
        """Register and refresh until cancelled."""
        while True:
            await self._rest(await self._register())

    async def leave(self) -> None:
        """Take the registration back, if that is quickly done."""
        if self.state != "registered":
            return
        self.state = "trying"
        try:
            async with asyncio.timeout(GOODBYE):
                await self._ask(0)
        except (TimeoutError, TransactionTimeout, TransportFailed) as error:
            log.info("registration_left", address=str(self._config.address), why=str(error))

    async def _register(self) -> float:
        """Register once; give the seconds until it is to be done again."""
        try:
            response = await self._ask(self._seconds)
            if response.status == 423:  # Interval Too Brief: ask for what is wanted
                self._seconds = max(self._seconds, _number(response.headers.get("Min-Expires")))
                response = await self._ask(self._seconds)
        except (TransactionTimeout, TransportFailed) as error:
            return self._failed("unreachable", str(error), None)
        if response.status >= 300:
            return self._failed("refused", f"{response.status} {response.reason}", response)
        return self._registered(response)

    def _registered(self, response: Response) -> float:
        granted = self._granted(response)
        if self.state != "registered":
            log.info("registration_made", address=str(self._config.address), seconds=granted)
        self.state, self.why, self._failures = "registered", "", 0
        self._until = self._loop.time() + granted
        self.service_route = response.headers.readable_values("Service-Route")
        return granted * (0.75 + 0.1 * self._random())

    def _failed(self, state: State, why: str, response: Response | None) -> float:
        if (state, why) != (self.state, self.why):
            log.warning("registration_failed", address=str(self._config.address), why=why)
        self.state, self.why = state, why
        wait = min(FIRST_RETRY * 2.0**self._failures, LONGEST_RETRY) * (0.5 + self._random() / 2)
        self._failures = min(self._failures + 1, 16)
        wanted = retry_after(response) if response is not None else None
        return max(wait, wanted or 0.0)

    async def _rest(self, seconds: float) -> None:
        """Wait, but not beyond the end of the connection that the registrar knows us by."""
        end = self._loop.time() + seconds
        while (left := end - self._loop.time()) > 0:
            await asyncio.sleep(min(left, LOOK))
            if self.state == "registered" and self._flow and not self._core.is_open(self._flow):
                return

    async def _ask(self, seconds: float) -> Response:
        credentials = self._config.credentials
        authorize = ChallengeAnswers(credentials, self._core.token) if credentials else None
        answer = await ask_any(
            self._core,
            lambda flow: self._request(flow, seconds),
            self._find_ways(self._config.destination),
            authorize=authorize,
        )
        self._flow, self._cseq = answer.flow, answer.request.cseq.number
        return answer.response

    def _request(self, flow: Flow, seconds: float) -> Request:
        self._cseq += 1
        address = self._config.address
        return make_request(
            "REGISTER",
            self._config.registrar,
            from_=address,
            to=address,
            tag=self._tag,
            call_id=self._call_id,
            cseq=self._cseq,
            headers=(
                ("Contact", str(self._contact(flow))),
                ("Expires", str(round(seconds))),
                ("Allow", ALLOW),
                ("Supported", "path"),
                ("User-Agent", self._core.user_agent),
            ),
        )

    def _contact(self, flow: Flow) -> NameAddr:
        ours = NameAddr.parse(self._core.contact(flow, secure=self._config.address.is_secure)).uri
        user = self._config.address.user
        return NameAddr(
            None, Uri(ours.scheme, user=user, host=ours.host, port=ours.port, params=ours.params)
        )

    def _granted(self, response: Response) -> float:
        """Find how long our binding lasts: its own `expires`, else Expires (section 10.2.4)."""
        ours = self._contact(self._flow).uri if self._flow else None
        for text in response.headers.readable_values("Contact"):
            try:
                contact = NameAddr.parse(text)
            except RemoteProtocolError:
                continue  # somebody else's, or of no use
            expires = _number(contact.params.get("expires"))
            if expires and ours is not None and contact.uri.equivalent(ours):
                return expires
        return _number(response.headers.get("Expires")) or self._seconds


def _number(text: str | None) -> float:
    text = (text or "").strip()
    return float(min(int(text), LONGEST)) if text.isascii() and text.isdigit() else 0.0
