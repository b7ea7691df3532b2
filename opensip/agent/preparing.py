"""Lets providers open their connections ahead of time: while the phone rings."""

import asyncio
from collections.abc import Iterable
from typing import Protocol, runtime_checkable

import structlog

from opensip.errors import OpenSipError

log = structlog.get_logger(__name__)


@runtime_checkable
class Preparing(Protocol):
    """A provider of any stage that has something to get ready before its first question."""

    async def prepare(self) -> None:
        """Open what the first question needs. May raise what a question may raise."""


async def prepare(providers: Iterable[object]) -> None:
    """Let all of them that can get ready, at once; returns when all are, or have failed.

    A failure is no more than a debug line here: the first question meets it, and tells it.
    """
    await asyncio.gather(*(_prepare(one) for one in providers if isinstance(one, Preparing)))


async def _prepare(provider: Preparing) -> None:
    try:
        await provider.prepare()
    except (OpenSipError, OSError) as error:  # a TimeoutError is an OSError
        name = str(getattr(provider, "name", "") or type(provider).__name__)
        log.debug("provider_unprepared", provider=name, error=str(error))
