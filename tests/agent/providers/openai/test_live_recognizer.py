"""The recogniser of a session of transcription, through the official client to a server of ours."""

import asyncio
from contextlib import asynccontextmanager

import numpy as np
import pytest

from opensip.agent.definition import Account, Agent
from opensip.agent.providers import Brief, Expectation, Heard, LiveRecognizer, Understood
from opensip.agent.providers.openai import live_recognizer
from opensip.agent.providers.openai.client import WRONG_KEY
from opensip.agent.providers.openai.recognizer import make
from opensip.agent.providers.shared import close_shared
from opensip.audio.tones import tone
from opensip.errors import ProviderError
from tests.fakes.transcription_server import TranscriptionServer

AGENT = Agent("test", language="de-AT", vocabulary=("Ada", "Harbor"))


class Talk:
    """A recognizer, what it told, and its server."""

    def __init__(self, server, account):
        given = {"recognizer_model": "ears-1", "recognizer_api": "realtime", **account}
        self.server = server
        self.ears = make(Brief(AGENT, "main", Account(base_url=server.base_url, **given)))
        self.told, self.failed = [], []
        self._more = asyncio.Event()

    def listen(self):
        self.ears.listen(self._tell, self._fail)

    def begin(self):
        self.ears.begin(Expectation())
        self.ears.resume()

    def _tell(self, heard):
        self.told.append(heard)
        self._more.set()

    def _fail(self, error):
        self.failed.append(error)
        self._more.set()

    async def until(self, done):
        while not done():
            self._more.clear()
            await self._more.wait()

    async def until_final(self, count=1):
        await self.until(lambda: sum(one.final for one in self.told) >= count or self.failed)

    def say(self, seconds=0.5, samples=None):
        rate = self.ears.rate
        said = tone(400, seconds, rate, level_dbfs=-20) if samples is None else samples
        for start in range(0, len(said), rate // 50):
            self.ears.feed(said[start : start + rate // 50])

    def silence(self, seconds):
        self.say(samples=np.zeros(int(seconds * self.ears.rate), np.int16))


def run(work, *, ears=None, account=None, **more):
    async def main():
        async with (
            TranscriptionServer(ears or (lambda *_: "Where is it?"), **more) as server,
            closing(Talk(server, account or {})) as talk,
        ):
            return await asyncio.wait_for(work(talk, server), 10)

    return asyncio.run(main())


@asynccontextmanager
async def closing(talk):
    try:
        yield talk
    finally:
        await talk.ears.close()
        await close_shared()
        assert talk.ears._task is None or talk.ears._task.done()


@pytest.mark.parametrize(("form", "rate"), [("pcmu", 8000), ("pcma", 8000), ("pcm", 24000)])
def test_a_stretch_of_voice_is_committed_by_us_and_its_words_come(form, rate):
    async def work(talk, server):
        await talk.ears.prepare()
        talk.listen()
        talk.silence(2.0)
        talk.begin()
        talk.say(0.5)
        talk.ears.pause()
        talk.silence(2.0)
        await talk.until_final()
        return talk

    talk = run(work, account={"recognizer_format": form})
    assert isinstance(talk.ears, LiveRecognizer)
    assert not talk.ears.ends_turns
    assert talk.told == [Heard("Where is it?", final=True)]  # whole: each bit would be supposed
    [(samples, at)] = talk.server.stretches  # with the moment before it, and none of the silence
    assert at == rate == talk.ears.rate
    assert 0.78 < len(samples) / rate < 0.84
    assert talk.server.paths == ["/v1/realtime?intent=transcription"]
    assert talk.server.session["type"] == "transcription"
    assert talk.server.session["audio"]["input"] | {"format": None} == {
        "format": None, "turn_detection": None,
        "transcription": {"model": "ears-1", "language": "de", "prompt": "Ada, Harbor"},
    }  # fmt: skip


def test_words_come_while_they_are_said_where_the_server_tells_them():
    async def work(talk, server):
        talk.listen()
        talk.begin()
        talk.say(0.5)
        await talk.until(lambda: talk.told)
        early = list(talk.told)
        talk.say(0.5)
        talk.ears.pause()
        await talk.until_final()
        return early, talk.told

    early, told = run(work, early=True)
    assert early == [Heard("Where")]
    assert told[-1] == Heard("Where is it?", final=True)


def test_what_was_no_voice_is_cleared_and_costs_nothing():
    async def work(talk, server):
        talk.listen()
        talk.begin()
        talk.say(0.1)
        while not server.got("input_audio_buffer.append"):  # noqa: ASYNC110 - a server's ear
            await asyncio.sleep(0.01)
        talk.ears.forget()
        talk.silence(1.0)
        talk.ears.resume()
        talk.say(0.5)
        talk.ears.pause()
        await talk.until_final()
        return server

    server = run(work)
    assert [event["type"] for event in server.received].count("input_audio_buffer.commit") == 1
    assert len(server.got("input_audio_buffer.clear")) == 1
    assert len(server.stretches) == 1


def test_the_servers_own_ears_may_end_turns():
    async def work(talk, server):
        talk.listen()
        talk.silence(0.3)
        talk.say(0.5)
        talk.silence(1.0)
        await talk.until_final()
        return talk

    talk = run(work, account={"recognizer_turns": "semantic_vad"})
    assert talk.ears.ends_turns
    assert talk.told[-1] == Heard("Where is it?", final=True, over=True)
    assert talk.server.session["audio"]["input"]["turn_detection"] == {"type": "semantic_vad"}
    assert talk.server.got("input_audio_buffer.commit") == []


@pytest.mark.parametrize("turns", ["ours", "server_vad"])
def test_who_asks_gets_the_words_and_nobody_else_does(turns):
    async def work(talk, server):
        talk.ears.begin(Expectation())  # it stands in, and is fed a turn at once
        talk.say(0.5)
        first = await talk.ears.finish()
        talk.listen()
        assert await talk.ears.finish() == Understood("", 0.0)
        return first, talk.told

    first, told = run(work, account={"recognizer_turns": turns})
    assert first == Understood("Where is it?", 1.0)
    assert told == []


def test_who_no_longer_waits_has_the_words_told():
    async def work(talk, server):
        talk.listen()
        talk.begin()
        talk.say(0.5)
        asking = asyncio.create_task(talk.ears.finish())
        await asyncio.sleep(0)
        asking.cancel()
        await talk.until_final()
        return talk.told[-1]

    assert run(work) == Heard("Where is it?", final=True)


def test_options_have_the_last_word_and_an_empty_one_leaves_a_field_out():
    options = {"prompt": "", "delay": "low"}
    account = Account(recognizer_model="m", recognizer_options=options)
    wanted = live_recognizer.session(Brief(AGENT, "main", account))
    assert wanted["audio"]["input"]["transcription"] == {
        "model": "m", "language": "de", "delay": "low",
    }  # fmt: skip


def test_a_connection_that_held_is_opened_anew_and_nothing_is_lost(monkeypatch):
    monkeypatch.setattr(live_recognizer, "_UP", 0.0)

    async def work(talk, server):
        talk.listen()
        talk.begin()
        talk.say(0.5)
        talk.ears.pause()
        await talk.until_final()
        talk.ears.resume()
        talk.say(0.4)
        while len(server.got("input_audio_buffer.append")) < 6:  # noqa: ASYNC110 - a server's ear
            await asyncio.sleep(0.01)
        await server.socket.close()
        talk.say(0.2)
        talk.ears.pause()
        await talk.until_final(2)
        return talk, server

    talk, server = run(work)
    assert talk.failed == []
    assert len(server.paths) == 2
    assert [one.text for one in talk.told if one.final] == ["Where is it?"] * 2
    assert len(server.stretches[-1][0]) / 8000 == pytest.approx(0.6, abs=0.11)


def test_a_transcription_that_fails_is_a_failure_and_the_next_turn_tries():
    async def work(talk, server):
        server.failing = ["overloaded"]
        talk.listen()
        for _ in range(2):
            talk.begin()
            talk.say(0.5)
            talk.ears.pause()
            await talk.until_final()
            if not talk.told:
                [error] = talk.failed
                talk.failed = []
        return error, talk.told

    error, told = run(work)
    assert "/v1/realtime: the transcription failed: overloaded" in str(error)
    assert error.retryable
    assert told[-1].final


def test_each_fault_names_the_server_and_what_to_do():
    async def told(talk, server):
        talk.listen()
        await talk.until(lambda: talk.failed)
        return talk.failed[0]

    async def silent(server):
        await server.socket.wait_closed()

    async def refusing(server):
        await server.error("invalid_model", "no such model")
        await server.socket.wait_closed()

    error = run(told, refuse=401)
    assert "status 401: see api_key of [providers.main]" in str(error)
    assert error.rest == WRONG_KEY
    error = run(told, fault=silent, account={"recognizer_seconds": 0.1})
    assert "/v1/realtime: no session within 0.1 s" in str(error)
    assert "refused the session: no such model" in str(run(told, fault=refusing))


def test_words_that_do_not_come_in_time_are_a_failure():
    async def work(talk, server):
        talk.begin()
        talk.say(0.5)
        with pytest.raises(ProviderError, match=r"main: ws://.*: no transcript within 0\.3 s"):
            await talk.ears.finish()

    run(work, ears=lambda *_: None, account={"recognizer_seconds": 0.3})


def test_what_is_too_short_or_of_a_strange_shape_harms_nothing():
    async def work(talk, server):
        await talk.ears.prepare()
        talk.listen()
        talk.begin()
        talk.say(0.02)
        assert await talk.ears.finish() == Understood("", 0.0)
        await server.send("conversation.item.input_audio_transcription.delta", item_id=5)
        await server.error("strange", "what is this")
        talk.begin()
        talk.say(0.5)
        return await talk.ears.finish()

    assert run(work).text == "Where is it?"
