"""One talk with one provider: how long it may be silent, and what a bug in a tool leads to."""

import asyncio
import dataclasses

import pytest

from opensip.agent import live
from opensip.agent.definition import ToolTable
from opensip.agent.memory import Call
from opensip.agent.outcome import Escalate
from opensip.events import FillerSaid, ProviderFailed
from tests.fakes.live import FakeLive
from tests.fakes.realtime_scene import AGENT, Scene, run, said


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
    def broken(done, agent):
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


SLOW = 'import asyncio\n\n\nasync def slow() -> str:\n    """Wait."""\n'


def slow(tmp_path, seconds):
    (tmp_path / "slow.py").write_text(f"{SLOW}    await asyncio.sleep({seconds})\n    return 'd'\n")
    table = ToolTable(file=tmp_path / "slow.py", seconds=30.0)
    return dataclasses.replace(AGENT, tools={"slow": table})


def talked(script, *, fake=None, agent=AGENT):
    """Let a provider talk as `script` wants; returns it, its scene, and how the call ended."""

    async def main():
        it = fake() if fake else FakeLive(begin=said("a", "Hello.", 0.2))
        scene = Scene(it, agent=agent)
        await scene.session.prepare()
        scene.start()
        await asyncio.sleep(1)
        await script(it, scene)
        scene.line.hang_up()
        return it, scene, await scene.end()

    return run(main())


def test_a_tool_at_work_is_bridged_all_the_time(tmp_path):
    async def script(fake, scene):
        fake.tell(live.Began(), live.Ended(), live.Answering())
        fake.tell(Call("c", "slow", "{}"), live.Answered("m"))
        await asyncio.sleep(12)

    _, scene, _ = talked(script, agent=slow(tmp_path, 11))
    assert len(scene.noted.of(FillerSaid)) >= 3
    assert scene.noted.of(ProviderFailed) == []


def test_an_answer_without_sound_is_wanted_once_more_and_then_has_failed():
    async def script(fake, scene):
        fake.tell(live.Began(), live.Ended(), live.Answering(), live.Answered("m"))
        await asyncio.sleep(0.1)
        assert fake.done == [("go on",)]
        fake.tell(live.Answering(), live.Answered("m"))
        await asyncio.sleep(0.1)

    _, scene, _ = talked(script)
    [failed] = scene.noted.of(ProviderFailed)
    assert failed.error == "main: an answer without sound, twice"


def test_an_answer_that_stops_in_its_midst_has_failed():
    async def script(fake, scene):
        fake.tell(*said("b", "One two.", 0.5)[:3])
        await asyncio.sleep(2.9)
        assert scene.noted.of(ProviderFailed) == []
        await asyncio.sleep(0.2)

    _, scene, _ = talked(script)
    assert len(scene.noted.of(ProviderFailed)) == 1


def test_an_answer_is_wanted_where_the_end_of_a_turn_is_missed():
    async def script(fake, scene):
        fake.tell(live.Began())
        await asyncio.sleep(9)
        assert fake.done == []
        await asyncio.sleep(1.2)

    fake, _, _ = talked(script)
    assert fake.done == [("go on",)]


def test_a_bot_of_which_nothing_is_heard_gives_way():
    async def script(fake, scene):
        await asyncio.sleep(3)

    _, scene, _ = talked(script, fake=lambda: FakeLive(patience=None, first_sound=3.0))
    assert [f.error for f in scene.noted.of(ProviderFailed)] == ["main: no sound within 3 s"]


def test_keys_wait_for_the_end_of_the_answer_that_was_begun():
    async def script(fake, scene):
        fake.tell(live.Answering(), live.Spoken("b", "Your number?"))
        await asyncio.sleep(0.1)
        scene.session.digit("4")
        scene.session.digit("#")
        await asyncio.sleep(0.1)
        assert fake.done == [("cut", "b", 0.0), ("press", "4")]
        fake.tell(live.Answered("m"))
        await asyncio.sleep(0.1)
        assert fake.done[1:] == [("press", "4"), ("go on",)]
        await asyncio.sleep(3)

    _, scene, _ = talked(script)
    assert len(scene.noted.of(ProviderFailed)) == 1  # that answer is waited for, too


def test_a_tool_that_ends_after_the_call_has_nobody_to_tell(tmp_path):
    async def script(fake, scene):
        fake.tell(live.Answering(), Call("c", "slow", "{}"), live.Answered("m"))
        await asyncio.sleep(0.5)

    fake, scene, _ = talked(script, agent=slow(tmp_path, 5))
    assert fake.done == []
    assert not scene.session._means.fillers.running


def test_the_answer_to_a_turn_is_one_to_the_results_that_came_during_it(tmp_path):
    async def script(fake, scene):
        fake.tell(live.Answering(), Call("c", "slow", "{}"), live.Answered("m"))
        await asyncio.sleep(1)
        fake.tell(live.Began())
        await asyncio.sleep(2)
        fake.tell(live.Ended(), *said("b", "Done.", 0.2))
        await asyncio.sleep(1)

    fake, scene, _ = talked(script, agent=slow(tmp_path, 2))
    assert fake.done == [("give", "slow", "d")]
    assert scene.noted.of(ProviderFailed) == []


def test_sound_after_a_call_does_not_end_the_bridge(tmp_path):
    async def script(fake, scene):
        fake.tell(live.Began(), live.Answering(), Call("c", "slow", "{}"))
        fake.tell(live.Spoken("b", "I look."), live.Finished("b"))
        fake.tell(said("b", "", 0.3)[2], live.Answered("m"))
        await asyncio.sleep(6)
        assert len(scene.noted.of(FillerSaid)) >= 1
        await asyncio.sleep(1.5)

    fake, _, _ = talked(script, agent=slow(tmp_path, 7))
    assert fake.done[-2:] == [("give", "slow", "d"), ("go on",)]


def test_the_wait_after_a_key_begins_with_the_key():
    pressed = []

    async def script(fake, scene):
        await asyncio.sleep(5)
        pressed.append(asyncio.get_running_loop().time())
        scene.session.digit("4")
        scene.session.digit("#")
        await asyncio.sleep(1)

    agent = dataclasses.replace(AGENT, fillers=("One moment.",), filler_seconds=0.5)
    _, scene, _ = talked(script, agent=agent)
    [filler] = scene.noted.of(FillerSaid)
    assert filler.at - pressed[0] == pytest.approx(0.5, abs=0.05)
