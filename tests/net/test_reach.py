import asyncio
import socket

import pytest

from opensip.errors import TransportFailed
from opensip.net.reach import reach
from tests.fakes.http_server import HttpServer


def test_a_server_that_takes_connections_is_reached_and_asked_nothing():
    async def main():
        async with HttpServer() as server:
            place = server.url.partition("//")[2]
            await reach(f"ws://user:secret@{place}/media?token=x", seconds=2.0)
            with pytest.raises(TransportFailed, match=f"wss://{place}/: ") as caught:
                await reach(f"wss://user:secret@{place}/", seconds=0.05)  # it speaks no TLS
            assert "secret" not in str(caught.value)
            return server.requests

    assert asyncio.run(main()) == []


def test_who_takes_no_connection_is_not_waited_for_long():
    async def main():
        with socket.socket() as full:  # nobody takes what waits, and no more may wait
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            address = full.getsockname()
            with (
                socket.create_connection(address),
                pytest.raises(TransportFailed, match=r"0\.05 s"),
            ):
                await reach(f"http://127.0.0.1:{address[1]}/", seconds=0.05)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1: .*refused|Connect call failed"),
        ("ftp://127.0.0.1/", "ftp://127.0.0.1/: is no URL of a server"),
        ("http://127.0.0.1:port/", "is no URL of a server"),
    ],
)
def test_nobody_is_there(url, told):
    with pytest.raises(TransportFailed, match=told):
        asyncio.run(reach(url, seconds=1.0))
