"""Many calls out of one process, as `opensip dial` makes one: `python -m tests.interop.dialler`.

usage: dialler.py CONFIG TRUNK CALLS RATE LINGER
Makes so many calls at so many a second, waits LINGER seconds after the last has ended, and prints
one line of JSON: how often each outcome came, and what was alive before and is alive after.
"""

import asyncio
import json
import logging
import secrets
import sys
from collections import Counter
from pathlib import Path

from opensip import log
from opensip.call.exchange import Exchange
from opensip.call.outbound import dial
from opensip.cli.loop import fastest_loop
from opensip.server.means import open_exchange
from opensip.settings import build
from opensip.settings.load import Settings, load
from opensip.ua.admission import Admission
from opensip.ua.endpoint import Endpoint
from opensip.ua.server_call import ServerCall

FIRST_NUMBER = 9195550000


def alive(endpoint: Endpoint, exchange: Exchange) -> dict[str, int]:
    """Count what must go back to where it was."""
    counts = endpoint.counts()
    return {
        **{name: counts[name] for name in ("dialogs", "transactions", "calls")},
        "ports": exchange.ports.in_use,
        "tasks": len(asyncio.all_tasks()),
    }


async def run(settings: Settings, trunk_name: str, calls: int, rate: float, linger: float) -> None:
    """Make the calls, and tell what came of them."""
    exchange = open_exchange(settings, settings.agents)
    [trunk] = [trunk for trunk in settings.trunks if trunk.name == trunk_name]
    admission = Admission(
        (), realm="", secret=secrets.token_bytes(32), strangers="silent", normalise=str
    )
    endpoint = Endpoint(
        build.endpoint_config(settings.server, settings.trunks),
        admission=admission,
        on_call=refuse,
    )
    await endpoint.start()
    before, dialling = alive(endpoint, exchange), []
    for n in range(calls):
        number = f"+1{FIRST_NUMBER + n}"
        one = dial(exchange, endpoint, trunk, number, agent="echo")
        dialling.append(asyncio.create_task(one))
        await asyncio.sleep(1 / rate)
    done = await asyncio.gather(*dialling)
    dialling.clear()
    await asyncio.sleep(linger)
    after = alive(endpoint, exchange)
    outcomes = Counter(f"{one.outcome}: {one.why}" for one in done)
    print(json.dumps({"outcomes": outcomes, "before": before, "after": after}))
    await endpoint.close()
    exchange.engine.close()
    exchange.ports.close()


async def refuse(call: ServerCall) -> None:
    """Take no calls."""
    call.reject(480)


if __name__ == "__main__":
    _, config, trunk, calls, rate, linger = sys.argv
    log.configure(level="warning", form="json", transcripts=False)
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    with asyncio.Runner(loop_factory=fastest_loop) as runner:
        runner.run(run(load(Path(config)), trunk, int(calls), float(rate), float(linger)))
