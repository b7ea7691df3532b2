"""One client an account and loop, and what its errors mean to us."""

import asyncio
import json
import math
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TypeVar

import httpx2
import openai

from opensip.agent.clients import PerLoop
from opensip.agent.definition import Account
from opensip.agent.health import Health, Healths
from opensip.agent.probing import SECONDS
from opensip.errors import ProviderError
from opensip.net.reach import reach

T = TypeVar("T")

_KEEP_OPEN = 120.0  # seconds between two turns of a call for which a connection stays open
_CONNECTIONS = 500  # at once: a stage of so many calls
_PREPARING = 3.0  # seconds to open a connection ahead of time
_LONGEST_REST = 300.0  # seconds; what asks for more has most likely run out of its quota
WRONG_KEY = 60.0  # seconds of rest: somebody must change the configuration first
_NO_LIST = (404, 405, 501)  # of a server that is there, without a list of its models
_TOLD = 200  # characters of a server's own message


def _make(key: object) -> openai.AsyncOpenAI:
    assert isinstance(key, tuple)  # noqa: S101 - made by client_of
    base_url, api_key = key
    return openai.AsyncOpenAI(
        api_key=api_key or "none",  # servers of one's own want none, the library wants one
        base_url=base_url or None,
        max_retries=0,  # the caller waits: the next provider is asked instead
        http_client=openai.DefaultAsyncHttpxClient(
            limits=httpx2.Limits(
                max_connections=_CONNECTIONS,
                max_keepalive_connections=_CONNECTIONS,
                keepalive_expiry=_KEEP_OPEN,
            )
        ),
    )


healths = Healths()  # of each stage of each account, for all calls


def health_of(stage: str, account: Account) -> Health:
    """Give the health of one stage of an account."""
    probe = _reach if stage == "realtime" else _ask
    return healths.of((stage, account.base_url, account.api_key), partial(probe, account))


async def _ask(account: Account) -> None:
    """Ask for the models, which costs nothing; a server that has no such list is there too."""
    try:
        with errors_of("probe"):
            await client_of(account).models.list()
    except ProviderError as error:
        status = getattr(error.__cause__, "status_code", 0)
        if status not in _NO_LIST:
            raise


async def _reach(account: Account) -> None:
    """Open a socket alone: a session might cost something."""
    await reach(str(client_of(account).base_url), seconds=SECONDS)


@dataclass(slots=True)
class _Service:
    """A client, and until when the connection of each stage is surely open."""

    client: openai.AsyncOpenAI
    open_until: dict[str, float] = field(default_factory=dict)


_services: PerLoop[_Service] = PerLoop(
    lambda key: _Service(_make(key)), lambda service: service.client.close()
)


def _service_of(account: Account) -> _Service:
    return _services.get((account.base_url, account.api_key))


def client_of(account: Account) -> openai.AsyncOpenAI:
    """Give the running loop's client of an account."""
    return _service_of(account).client


async def close_shared() -> None:
    """Close the running loop's connections."""
    await _services.close()


async def prepare(stage: str, account: Account) -> None:
    """Open a connection for a stage, with a small question whose answer does not matter.

    Stages that get ready at once open one each, as a turn needs them; none does while its is open.
    """
    service, now = _service_of(account), asyncio.get_running_loop().time()
    if now < service.open_until.get(stage, 0.0):
        return
    service.open_until[stage] = now + _KEEP_OPEN
    try:
        async with asyncio.timeout(_PREPARING):
            await service.client.models.list()
    except openai.APIStatusError:
        pass  # of a server without such a list, or with another key: the connection is open
    except (openai.OpenAIError, httpx2.HTTPError, TimeoutError, ValueError, RecursionError):
        service.open_until.pop(stage, None)


async def in_time(work: Awaitable[T], seconds: float, *, name: str, what: str) -> T:
    """Wait for a part of an answer. Raises ProviderError when it takes longer than `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as error:
        text = f"{name}: no {what} within {seconds:g} s"
        raise ProviderError(text, provider=name) from error  # the caller has waited enough for it


class Patience:
    """Waits for the parts of an answer: `seconds` for the first word, and between words.

    Parts that tell nothing (of a model that thinks, or of a server that keeps its line up) do not
    make it longer.
    """

    def __init__(self, seconds: float, name: str) -> None:
        self._seconds = self._left = seconds
        self._name = name
        self._what = "word"

    async def wait(self, work: Awaitable[T]) -> T:
        """Wait for the next part. Raises ProviderError once the time is over."""
        now = asyncio.get_running_loop().time
        began = now()
        try:
            async with asyncio.timeout(self._left):
                return await work
        except TimeoutError as error:
            text = f"{self._name}: no {self._what} within {self._seconds:g} s"
            raise ProviderError(text, provider=self._name) from error
        finally:
            self._left -= now() - began

    def rewarded(self) -> None:
        """A part told something: wait as long for the next."""
        self._left = self._seconds
        self._what = "further word"


def _place(error: Exception) -> str:
    """Tell where an error happened, without what a URL may hold of secrets."""
    url = getattr(getattr(error, "_request", None) or getattr(error, "request", None), "url", None)
    return f" ({url.scheme}://{url.netloc.decode()})" if url else ""


@contextmanager
def errors_of(name: str) -> Iterator[None]:
    """Turn the library's errors into ProviderError that says what happened at `name`."""
    try:
        yield
    except openai.APIStatusError as error:
        raise _refused(name, error) from error
    except openai.APITimeoutError as error:
        raise ProviderError(f"{name}: timed out", provider=name) from error
    except (openai.APIConnectionError, httpx2.HTTPError) as error:
        cause = error.__cause__ or error
        what = str(cause) or type(cause).__name__
        text = f"{name}: the connection failed{_place(error)}: {what}"
        raise ProviderError(text, provider=name, retryable=True) from error
    except (json.JSONDecodeError, RecursionError) as error:  # the latter: nested without end
        text = f"{name}: sent what is no JSON: {error}"
        raise ProviderError(text, provider=name, retryable=True) from error
    except (openai.OpenAIError, ValueError, TypeError) as error:  # in a stream; of another shape
        text = f"{name}: {str(error)[:_TOLD] or type(error).__name__}"
        raise ProviderError(text, provider=name, retryable=True) from error


def _refused(name: str, error: openai.APIStatusError) -> ProviderError:
    status, rest = error.status_code, 0.0
    match status:
        case 401 | 403:  # its body may hold a part of the key
            text = f"refused our key ({status}): see api_key of [providers.{name}]"
            rest = WRONG_KEY
        case 404:
            text = f"knows no such model or path (404): {error.message[:_TOLD]}"
        case 429:
            told = error.response.headers.get("retry-after", "")
            rest = _retry_after(told, datetime.now(UTC))
            text = f"has had enough of us (429), for {rest:g} s"
        case _ if status >= 500:
            text = f"failed ({status})"
        case _:
            text = f"refused the request ({status}): {error.message[:_TOLD]}"
    retryable = status >= 500
    return ProviderError(f"{name}: {text}", provider=name, retryable=retryable, rest=rest)


def _retry_after(value: str, now: datetime) -> float:
    """Read Retry-After, seconds or a date (RFC 9110 section 10.2.3); one second of neither."""
    with suppress(ValueError):
        seconds = float(value) if not value[:1].isalpha() else (_date(value) - now).total_seconds()
        if not math.isnan(seconds):
            return min(max(seconds, 0.0), _LONGEST_REST)
    return 1.0


def _date(value: str) -> datetime:
    told = parsedate_to_datetime(value)
    return told if told.tzinfo else told.replace(tzinfo=UTC)
