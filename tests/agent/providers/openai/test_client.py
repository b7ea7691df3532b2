import asyncio
import json
from datetime import UTC, datetime

import pytest

from opensip.agent.definition import Account
from opensip.agent.providers.openai import client
from opensip.errors import OpenSipError, ProviderError
from tests.fakes.http_server import HttpServer
from tests.fakes.openai_server import Fault, OpenAiServer


def test_calls_of_a_loop_share_connections_of_an_account():
    async def main():
        async with OpenAiServer() as server:
            account = Account(base_url=server.base_url)
            assert client.client_of(account) is client.client_of(Account(base_url=server.base_url))
            assert client.client_of(account) is not client.client_of(
                Account(base_url=server.base_url, api_key="other")
            )
            for _ in range(3):
                await client.prepare("dialogue", account)
            await client.close_shared()
            return server

    server = asyncio.run(main())
    assert (server.connections, len(server.requests)) == (1, 1)
    assert server.requests[0][1]["authorization"] == "Bearer none"


def test_each_stage_has_its_connection_before_the_first_turn_needs_it():
    async def main():
        async with OpenAiServer(delay=0.01) as server:
            account = Account(base_url=server.base_url)
            stages = ("recognizer", "dialogue", "synthesizer")
            await asyncio.gather(*(client.prepare(stage, account) for stage in stages))
            await client.close_shared()
            return server.connections

    assert asyncio.run(main()) == 3


def test_who_was_not_there_is_tried_again_for_the_next_call():
    async def main():
        async with OpenAiServer() as server:
            account = Account(base_url=server.base_url)
            server.faults["models"] = [Fault("reset")]
            for _ in range(3):
                await client.prepare("dialogue", account)
            await client.close_shared()
            return len(server.requests)

    assert asyncio.run(main()) == 2


def test_what_takes_too_long_says_what_was_waited_for():
    async def main():
        await client.in_time(asyncio.sleep(60), 0.01, name="main", what="word")

    with pytest.raises(ProviderError, match=r"main: no word within 0\.01 s"):
        asyncio.run(main())


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2", 2), ("1e9", 300), ("-1", 0), ("Fri", 1), ("", 1), ("nan", 1),
        ("Sat, 21 Nov 2026 20:00:30 GMT", 30), ("Sat, 21 Nov 2026 19:00:00 GMT", 0),
        ("Sat, 21 Nov 2026 20:00:07 -0000", 7),
    ],
)  # fmt: skip
def test_retry_after(value, seconds):
    assert client._retry_after(value, datetime(2026, 11, 21, 20, tzinfo=UTC)) == seconds


def test_what_has_a_shape_nobody_expected():
    with pytest.raises(ProviderError, match="main: odd"), client.errors_of("main"):
        raise ValueError("odd")


def test_what_is_nested_without_end_is_no_json():
    with pytest.raises(ProviderError, match="main: sent what is no JSON"), client.errors_of("main"):
        json.loads("[" * 60_000)


@pytest.mark.parametrize(
    ("status", "told"),
    [(200, ""), (404, ""), (405, ""), (401, "refused our key"), (429, "enough"), (503, "failed")],
)
def test_a_probe_asks_for_the_models_and_a_server_without_a_list_is_there(status, told):
    async def main():
        async with HttpServer(lambda *_: (status, b'{"data": []}')) as server:
            probe = client.health_of("dialogue", Account(base_url=server.url)).probe
            try:
                await probe()
            finally:
                await client.close_shared()
                assert [path for _, path, *_ in server.requests] == ["/models"]

    if told:
        with pytest.raises(ProviderError, match=told):
            asyncio.run(main())
    else:
        asyncio.run(main())


def test_a_probe_of_speech_to_speech_opens_a_socket_alone():
    async def main():
        async with HttpServer() as server:
            await client.health_of("realtime", Account(base_url=server.url)).probe()
            await client.close_shared()
        assert server.requests == []
        for stage in ("realtime", "dialogue"):
            with pytest.raises(OpenSipError, match=r"127\.0\.0\.1"):
                await client.health_of(stage, Account(base_url=server.url)).probe()
        await client.close_shared()

    asyncio.run(main())
