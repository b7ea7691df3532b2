"""Looks after services that failed, so that no caller pays for finding out that they are back.

One task of a loop does it, one service at a time, for as long as any is ill.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import structlog

from opensip.agent.clients import PerLoop
from opensip.agent.health import LONGEST, Health
from opensip.agent.listening import cancelled
from opensip.errors import OpenSipError

SECONDS = 3.0  # that one probe may take
_SHORTEST = 1.0  # seconds between two probes of a service, whatever rest it asked for

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Ill:
    """A service that is looked after, by its name in the agent's file."""

    health: Health
    stage: str
    name: str
    since: float
    wait: float
    due: float
    probes: int = 0


class Prober:
    """Probes what failed after its rest, then at intervals that double up to a minute."""

    def __init__(self) -> None:
        self._ill: dict[int, _Ill] = {}
        self._task: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()

    def watch(self, health: Health, stage: str, name: str) -> None:
        """Look after a service that has failed just now."""
        now, wait = asyncio.get_running_loop().time(), max(health.rest, _SHORTEST)
        known = self._ill.get(id(health))
        if known:
            known.wait, known.due = wait, now + wait
        else:
            self._ill[id(health)] = _Ill(health, stage, name, now, wait, now + wait)
        health.watched = True
        self._woken.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """End, and leave what is ill to the calls."""
        await cancelled(self._task)

    async def _run(self) -> None:
        try:
            while self._ill:
                first = min(self._ill.values(), key=lambda one: one.due)
                if await self._is_due(first):
                    await self._probe(first)
        finally:
            for one in self._ill.values():
                one.health.watched = False
            self._ill.clear()

    async def _is_due(self, one: _Ill) -> bool:
        """Wait until it is; False: something changed meanwhile."""
        self._woken.clear()
        left = one.due - asyncio.get_running_loop().time()
        if left > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._woken.wait()
        return not self._woken.is_set()

    async def _probe(self, one: _Ill) -> None:
        now = asyncio.get_running_loop().time
        health, told = one.health, {"stage": one.stage, "provider": one.name}
        one.probes += 1
        error = await _error_of(health) if health.ill else None
        if not health.ill:  # a call that had nobody else to ask found it well
            self._forget(one)
        elif error is None:
            health.answered()
            self._forget(one)
            seconds = round(now() - one.since, 1)
            log.info("provider_recovered", **told, seconds=seconds, probes=one.probes)
        elif one.due <= now():  # else it failed anew meanwhile, and rests
            one.wait = min(one.wait * 2, LONGEST)
            one.due = now() + one.wait
            log.debug("provider_probed", **told, error=str(error), again_in=one.wait)

    def _forget(self, one: _Ill) -> None:
        one.health.watched = False
        del self._ill[id(one.health)]


async def _error_of(health: Health) -> Exception | None:
    """Probe a service; gives what went wrong."""
    try:
        async with asyncio.timeout(SECONDS):
            if health.probe is not None:
                await health.probe()
    except (OpenSipError, OSError) as error:  # a TimeoutError is an OSError
        return error
    return None


_probers: PerLoop[Prober] = PerLoop(lambda _: Prober(), lambda prober: prober.close())


def watch(health: Health, stage: str, name: str) -> None:
    """Look after a service that has failed, where it can be probed and a loop is running."""
    if health.probe is not None:
        with suppress(RuntimeError):  # without a loop the next call tries it after its rest
            _probers.get("").watch(health, stage, name)


async def close_shared() -> None:
    """End the probes of the running loop."""
    await _probers.close()
