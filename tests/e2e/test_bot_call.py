"""A caller whose agent is a bot elsewhere, which answers, hands on, or cannot be had."""

import asyncio

import pytest

from opensip.agent.definition import Account, Agent, Entry
from tests.fakes.bot import Bot
from tests.fakes.exchanges import journal, records
from tests.fakes.lamp_shop import call

pytestmark = pytest.mark.e2e


async def leaves(bot):
    """Hear a little, and hand the caller on."""
    await bot.got(lambda message: message["event"] == "media")
    await bot.socket.close()


@pytest.mark.parametrize("kind", ["refuses", "hangs", "leaves"])
def test_the_caller_comes_to_a_human(kind, tmp_path):
    reports = []

    async def main():
        bot = Bot(leaves, refuse=500 * (kind == "refuses"), hang=kind == "hangs")
        async with bot:
            account = Account(
                provider="stream", base_url=bot.url, realtime_seconds=1.0,
                when_closed="fall_back",
            )  # fmt: skip

            def agent(desk):
                return Agent(
                    "shop", kind="stream", providers={"bot": account}, realtime=("bot",),
                    synthesizer=("scripted",), directory={"human": Entry(desk, "the desk")},
                )  # fmt: skip

            return await call(agent, tmp_path / "data", reports)

    result = asyncio.run(main())
    assert result.transferred_to.startswith("sip:desk@127.0.0.1")
    [record] = records(tmp_path / "data")
    assert record["outcome"] == "transferred"
    [spoken] = {turn["speaker"] for turn in record["turns"]}
    assert spoken == "agent"  # in our own voice: nobody is left in silence
    failed = [event for event in journal(tmp_path / "data") if event["kind"] == "provider_failed"]
    assert len(failed) == (kind != "leaves")
