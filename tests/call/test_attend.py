"""What `attend` does beyond the calls in test_inbound and test_outbound."""

import asyncio

from structlog.testing import capture_logs

from opensip.agent.definition import Agent
from opensip.call.attend import _record, terms_of
from opensip.carriers import Number
from opensip.carriers.trunk import Trunk
from tests.fakes.exchanges import exchange
from tests.fakes.talkers import FakeTalker
from tests.fakes.virtual_time_loop import VirtualTimeLoop


class Recordable:
    rate = 16000

    def __init__(self):
        self.recorders = []

    def record_to(self, recorder):
        self.recorders.append(recorder)


def recorded(data, route, *, voice=True):
    async def main():
        office = exchange(data)
        entry, media, agent = office.open_entry(), Recordable(), FakeTalker()
        agent.voice = voice
        await _record(office, media, agent, entry, route=route, form="wav")
        return media.recorders, agent.said, entry

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def test_nothing_is_recorded_or_said_unless_it_is_wanted(tmp_path):
    recorders, said, _ = recorded(tmp_path, Number("shop", recording=False, consent="May we?"))
    assert (recorders, said) == ([], [])


def test_the_caller_is_told_before_the_recording_starts(tmp_path):
    recorders, said, entry = recorded(tmp_path, Number("shop", True, "We record."))
    assert said == ["We record."]
    assert [recorder.path for recorder in recorders] == [
        tmp_path / "recordings" / f"{entry.call_id}.wav"
    ]


def test_a_recording_without_a_prompt_starts_at_once(tmp_path):
    recorders, said, _ = recorded(tmp_path, Number("shop", recording=True, consent=""))
    assert (len(recorders), said) == (1, [])


def test_who_cannot_be_told_is_not_recorded(tmp_path):
    with capture_logs() as lines:
        recorders, _, _ = recorded(tmp_path, Number("echo", True, "We record."), voice=False)
    assert (recorders, [line["event"] for line in lines]) == ([], ["not_recorded"])
    (journal,) = (tmp_path / "journals").iterdir()
    assert "not recorded" in journal.read_text()
    assert not (tmp_path / "recordings").exists()


def test_why_a_transfer_failed_is_told_in_english_where_the_file_has_no_words():
    def tells_why(**more):
        return terms_of(Trunk("mine"), Agent("a", **more), "c-1").tells_why

    assert tells_why()
    assert not tells_why(replies={"transfer_failed": "No luck."})
    assert not tells_why(language="de", synthesizer=("main",))
