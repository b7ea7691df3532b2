"""The WebSocket of GET /realtime, through the official client: opened, set up, read and written."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, TypeAlias, TypeVar, cast

import structlog
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from opensip.agent.definition import Account
from opensip.agent.providers.openai.client import WRONG_KEY, client_of, errors_of
from opensip.agent.wire import Wire
from opensip.errors import OpenSipError, ProviderError, TransportFailed
from opensip.net.websocket import LARGEST_MESSAGE, failed, without_password

log = structlog.get_logger(__name__)

T = TypeVar("T")
Send: TypeAlias = Callable[[AsyncRealtimeConnection], Awaitable[None]]

MOST_WRONG = 20  # events of a call that may be of a strange shape, before the server is broken
TOLD = 200  # characters of a server's own message
_OPTIONS = {
    "max_size": LARGEST_MESSAGE,
    "open_timeout": None,  # the whole opening has one limit of ours
    "close_timeout": 1.0,  # seconds: nobody waits for a dead peer
    "compression": None,
}


class RealtimeLine:
    """One call's connection to a server, which has agreed to `session` within `seconds`.

    `query` is what the URL says: `model`, or `intent`. All verbs that wait raise ProviderError,
    which names the URL.
    """

    def __init__(
        self,
        name: str,
        account: Account,
        *,
        query: Mapping[str, str],
        session: Mapping[str, Any],
        seconds: float,
    ) -> None:
        self.session = session
        self._name = name
        self._account = account
        self._query = dict(query)
        self._seconds = seconds
        self._wire: Wire[AsyncRealtimeConnection, Send] = Wire(name, self._connect_in_time, _send)
        self._wrong = 0  # events that were left out

    async def open(self) -> None:
        """Open the connection and have the session set up, unless it is."""
        await self._wire.open()

    async def begin(self) -> None:
        """Open it, and send from now on what is put."""
        await self._wire.begin()

    def put(self, send: Send) -> None:
        """Take what is to be sent; for nothing where it has not begun, or is closed."""
        self._wire.put(send)

    async def events(self) -> AsyncGenerator[Any]:
        """Give what comes; a server that says goodbye has failed."""
        line = self._wire.connection
        if line is None:
            raise ProviderError(f"{self._name}: is not connected", provider=self._name)
        try:
            with errors_of(self._name):
                while True:
                    yield await self._received(line)
        except ProviderError as error:
            raise self._wire.error or error from error

    def read(self, event: Any, reader: Callable[[Any], T]) -> T | None:
        """Read an event; the client checks no shapes: what has another is left out, a while."""
        try:
            return reader(event)
        except (AttributeError, TypeError) as error:
            self._wrong += 1
            kind = str(getattr(event, "type", ""))[:TOLD]
            log.warning("realtime_event_refused", provider=self._name, type=kind, why=str(error))
            if self._wrong > MOST_WRONG:
                text = f"{self._name}: too many events of a strange shape, such as {kind!r}"
                raise ProviderError(text, provider=self._name) from error
            return None

    async def close(self) -> None:
        """Send what waits, and close; it may be opened anew."""
        await self._wire.close()

    @property
    def place(self) -> str:
        """Who we are and where the server is, without what its URL may hold of secrets."""
        url = without_password(str(client_of(self._account).base_url))
        return f"{self._name}: {url.replace('http', 'ws', 1).rstrip('/')}/realtime"

    async def _connect_in_time(self) -> AsyncRealtimeConnection:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._connect()
        except TimeoutError as error:
            text = f"{self.place}: no session within {self._seconds:g} s"
            raise ProviderError(text, provider=self._name) from error

    async def _connect(self) -> AsyncRealtimeConnection:
        manager = client_of(self._account).realtime.connect(
            extra_query=cast(Any, self._query),
            websocket_connection_options=cast(Any, _OPTIONS),
        )
        try:
            with errors_of(self._name):
                line = await manager.enter()
        except ProviderError:
            raise
        except Exception as error:  # of the library that openai opens sockets with
            raise self._refused(failed(error, self.place)) from error
        try:
            await self._set_up(line)
        except BaseException:
            await line.close()
            raise
        return line

    async def _set_up(self, line: AsyncRealtimeConnection) -> None:
        """Configure the session; an error before it is agreed to is one of the configuration."""
        with errors_of(self._name):
            await line.session.update(session=cast(Any, self.session))
            while True:
                event = await self._received(line)
                match getattr(event, "type", ""):
                    case "session.updated":
                        return
                    case "error":
                        why = str(getattr(getattr(event, "error", ""), "message", "no reason"))
                        raise ProviderError(
                            f"{self.place}: refused the session: {why[:TOLD]}",
                            provider=self._name,
                        )

    async def _received(self, line: AsyncRealtimeConnection) -> Any:
        try:
            return await line.recv()
        except (OpenSipError, asyncio.CancelledError):
            raise
        except Exception as error:  # of the socket's library, or a message of a strange shape
            text = str(failed(error, self.place))
            raise ProviderError(text, provider=self._name, retryable=True) from error

    def _refused(self, error: TransportFailed) -> ProviderError:
        wrong = "status 401" in str(error) or "status 403" in str(error)
        more = f": see api_key of [providers.{self._name}]" if wrong else ""
        rest = WRONG_KEY if wrong else 0.0
        return ProviderError(f"{error}{more}", provider=self._name, rest=rest)


async def _send(line: AsyncRealtimeConnection, send: Send) -> None:
    try:
        await send(line)
    except Exception as error:  # of the socket's library
        raise failed(error, "the connection") from error
