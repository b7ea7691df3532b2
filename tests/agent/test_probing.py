"""Services that are down for a while, under virtual time: who asks them, and when."""

import asyncio

import pytest
from structlog.testing import capture_logs

from opensip.agent import probing
from opensip.agent.health import Health
from opensip.agent.probing import Prober, watch
from opensip.errors import ProviderError
from tests.fakes.virtual_time_loop import VirtualTimeLoop


class Service:
    """Is down until a time; keeps when it was probed."""

    def __init__(self, up_at, *, slow=0.0):
        self.loop = asyncio.get_running_loop()
        self.up_at, self.slow, self.probes, self.at_once = up_at, slow, [], 0
        self.health = Health(clock=self.loop.time, probe=self.probe)

    async def probe(self):
        self.probes.append(round(self.loop.time(), 3))
        await asyncio.sleep(self.slow)
        if self.loop.time() < self.up_at:
            raise ProviderError("still down")

    def fails(self, prober, name="main", rest=0.0):
        self.health.failed(rest)
        prober.watch(self.health, "dialogue", name)


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def test_it_is_probed_at_growing_intervals_until_it_is_back_and_no_call_pays():
    async def main():
        prober, service = Prober(), Service(200.0)
        with capture_logs() as logs:
            service.fails(prober)
            while asyncio.get_running_loop().time() < 195:
                await asyncio.sleep(1)
                assert not service.health.tried()  # a new call asks it last
            await asyncio.sleep(100)
        assert all(service.health.tried() for _ in range(3))
        assert service.probes == [5, 15, 35, 75, 135, 195, 255]
        told = [log for log in logs if log["event"] == "provider_recovered"]
        assert told == [
            {"event": "provider_recovered", "log_level": "info", "stage": "dialogue",
             "provider": "main", "seconds": 255.0, "probes": 7}
        ]  # fmt: skip
        assert len(asyncio.all_tasks()) == 1  # nothing is ill: nobody probes

    run(main)


def test_one_at_a_time_and_one_that_hangs_keeps_no_other_for_long():
    async def main():
        prober, hangs, other = Prober(), Service(1e9, slow=1e9), Service(0.0)
        hangs.fails(prober, "hangs")
        other.fails(prober, "other")
        await asyncio.sleep(20)
        assert other.probes == [8]  # once the probe before it had taken its 3 s
        assert not other.health.resting
        assert hangs.probes == [5, 18]
        await prober.close()

    run(main)


def test_the_rest_that_it_asks_for_is_kept_and_a_new_failure_begins_another():
    async def main():
        prober, service = Prober(), Service(0.0)
        service.fails(prober, rest=90.0)
        await asyncio.sleep(80)
        assert service.probes == []
        service.fails(prober, rest=0.0)  # a call that had nobody else asked it
        await asyncio.sleep(9)
        assert service.probes == []
        await asyncio.sleep(2)
        assert service.probes == [90]

    run(main)


def test_who_fails_meanwhile_is_left_alone_and_who_works_is_not_asked():
    async def main():
        prober, service = Prober(), Service(1e9, slow=1.0)
        service.fails(prober)
        await asyncio.sleep(5.5)
        service.fails(prober)  # while it is being probed
        await asyncio.sleep(9)
        assert service.probes == [5]
        service.health.worked()
        await asyncio.sleep(100)
        assert service.probes == [5]
        assert not service.health.watched
        assert len(asyncio.all_tasks()) == 1

    run(main)


def test_a_call_that_finds_it_well_during_a_probe_is_believed():
    async def main():
        prober, service = Prober(), Service(1e9, slow=1.0)
        service.fails(prober)
        await asyncio.sleep(5.5)
        service.health.worked()
        await asyncio.sleep(100)
        assert service.probes == [5]
        assert not service.health.resting

    run(main)


def test_it_ends_with_the_server_and_leaves_what_is_ill_to_the_calls():
    async def main():
        service, without = Service(1e9), Health()
        watch(without, "dialogue", "main")
        assert len(asyncio.all_tasks()) == 1
        service.health.failed()
        watch(service.health, "dialogue", "main")
        await asyncio.sleep(1)
        await probing.close_shared()
        assert len(asyncio.all_tasks()) == 1
        await asyncio.sleep(100)
        assert service.probes == []
        assert service.health.tried()

    run(main)


def test_without_a_loop_nobody_probes():
    health = Health(probe=lambda: pytest.fail("nobody is there to ask"))
    health.failed()
    watch(health, "dialogue", "main")
    assert not health.watched
