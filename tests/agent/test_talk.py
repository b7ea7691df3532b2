"""One talk with one provider: how long it may be silent, and what a bug in a tool leads to."""

import asyncio
import dataclasses

import pytest

from opensip.agent import live
from opensip.agent.definition import ToolTable
from opensip.agent.memory import Call
from opensip.agent.outcome import Escalate
from opensip.events import FillerSaid, ProviderFailed
from tests.agent.test_realtime import AGENT, Scene, run, said
from tests.fakes.live import FakeLive


def test_a_service_that_is_silent_gives_way_within_its_patience():
    async def main():
        fake = FakeLive(patience=1.0)
        scene = Scene(fake)
        scene.start()
        return await scene.end(), scene.noted.of(ProviderFailed)

    outcome, [failed] = run(main())
    assert isinstance(outcome, Escalate)
    assert failed.error == "main: no answer within 1 s"
    assert (failed.stage, failed.provider) == ("realtime", "main")


def test_a_wait_is_bridged_by_the_fillers_of_the_file():
    async def main():
        agent = dataclasses.replace(AGENT, fillers=("One moment.",), filler_seconds=0.5)
        fake = FakeLive(begin=said("a", "Hello.", 0.2))
        scene = Scene(fake, agent=agent)
        await scene.session.prepare()
        scene.start()
        await asyncio.sleep(1)
        fake.tell(live.Ended(), live.Understood("Where is it?"))
        await asyncio.sleep(1.5)
        fake.tell(*said("b", "Here.", 0.2))
        await asyncio.sleep(2)
        scene.line.hang_up()
        await scene.end()
        return scene

    scene = run(main())
    assert [event.text for event in scene.noted.of(FillerSaid)] == ["One moment."]
    assert scene.heard() == [("Hello.", False), ("Here.", False)]


def test_the_wait_for_a_slow_tool_is_none_for_the_service(tmp_path):
    (tmp_path / "slow.py").write_text(
        'import asyncio\n\n\nasync def slow() -> str:\n    """Wait."""\n'
        "    await asyncio.sleep(3)\n    return 'done'\n"
    )
    agent = dataclasses.replace(AGENT, tools={"slow": ToolTable(file=tmp_path / "slow.py")})

    async def main():
        fake = FakeLive(patience=1.0, begin=said("a", "Hello.", 0.2))
        scene = Scene(fake, agent=agent)
        scene.start()
        await asyncio.sleep(1)
        fake.tell(live.Answering(), Call("c", "slow", "{}"), live.Answered())
        await asyncio.sleep(3.2)
        fake.tell(*said("b", "Done.", 0.2))
        await asyncio.sleep(1)
        scene.line.hang_up()
        await scene.end()
        return fake.done, scene.noted.of(ProviderFailed)

    done, failed = run(main())
    assert done == [("give", "slow", "done"), ("go on",)]
    assert failed == []


def test_a_bug_in_what_follows_of_a_tool_ends_the_talk_loudly(monkeypatch):
    def broken(looked):
        raise RuntimeError("a bug")

    monkeypatch.setattr("opensip.agent.talk.consequences", broken)

    async def main():
        fake = FakeLive(begin=said("a", "Hello.", 0.2))
        scene = Scene(fake)
        scene.start()
        await asyncio.sleep(1)
        fake.tell(Call("c", "look_up", '{"table": "orders", "key": "1"}'))
        with pytest.raises(RuntimeError, match="a bug"):
            await scene.end()
        await scene.session.close()

    run(main())
