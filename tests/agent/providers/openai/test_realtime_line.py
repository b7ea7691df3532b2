"""The WebSocket alone; what goes wrong with it stands in test_realtime.py, as a caller meets it."""

import asyncio

import pytest

from opensip.agent.definition import Account
from opensip.agent.providers.openai.realtime_line import RealtimeLine
from opensip.agent.providers.shared import close_shared
from opensip.errors import ProviderError
from tests.fakes.realtime_server import RealtimeServer

SESSION = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}


def run(work):
    async def main():
        async with RealtimeServer() as server:
            line = RealtimeLine(
                "main", Account(base_url=server.base_url),
                query={"intent": "transcription"}, session=SESSION, seconds=2.0,
            )  # fmt: skip
            try:
                return await asyncio.wait_for(work(line, server), 10)
            finally:
                await line.close()
                await close_shared()

    return asyncio.run(main())


def test_asks_for_what_it_is_told_to_and_sends_once_it_has_begun():
    async def work(line, server):
        line.put(lambda one: one.input_audio_buffer.clear())  # for nothing
        await line.begin()
        line.put(lambda one: one.input_audio_buffer.commit())
        await server.send("input_audio_buffer.committed", item_id="u", previous_item_id=None)
        async for event in line.events():
            return event.type, server.paths, server.session

    told, paths, session = run(work)
    assert told == "input_audio_buffer.committed"
    assert paths == ["/v1/realtime?intent=transcription"]
    assert session == SESSION  # with its null: without it a server takes its default


def test_before_it_is_open_nothing_comes():
    async def work(line, server):
        assert line.place.endswith("/v1/realtime")
        with pytest.raises(ProviderError, match="main: is not connected"):
            await anext(line.events())

    run(work)
