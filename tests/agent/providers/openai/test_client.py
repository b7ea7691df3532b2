import asyncio

import pytest

from opensip.agent.definition import Account
from opensip.agent.providers.openai import client
from opensip.errors import ProviderError
from tests.fakes.openai_server import OpenAiServer


def test_calls_of_a_loop_share_connections_of_an_account():
    async def main():
        async with OpenAiServer() as server:
            account = Account(base_url=server.base_url)
            assert client.client_of(account) is client.client_of(Account(base_url=server.base_url))
            assert client.client_of(account) is not client.client_of(
                Account(base_url=server.base_url, api_key="other")
            )
            for _ in range(3):
                await client.prepare(account)
            await client.close_shared()
            return server

    server = asyncio.run(main())
    assert (server.connections, len(server.requests)) == (1, 1)
    assert server.requests[0][1]["authorization"] == "Bearer none"


def test_what_takes_too_long_says_what_was_waited_for():
    async def main():
        await client.in_time(asyncio.sleep(60), 0.01, name="main", what="word")

    with pytest.raises(ProviderError, match=r"main: no word within 0\.01 s"):
        asyncio.run(main())


@pytest.mark.parametrize(("value", "seconds"), [("2", 2), ("1e9", 300), ("-1", 0), ("Fri", 1)])
def test_retry_after(value, seconds):
    assert client._retry_after(value) == seconds


def test_what_has_a_shape_nobody_expected():
    with pytest.raises(ProviderError, match="main: odd"), client.errors_of("main"):
        raise ValueError("odd")
