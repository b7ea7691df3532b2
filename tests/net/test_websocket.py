import asyncio

import pytest

from opensip.errors import TransportFailed
from opensip.net.websocket import LARGEST_MESSAGE, connect, failed, without_password
from tests.fakes.bot import Bot


def run(work, talk=None, **more):
    async def main():
        async with Bot(talk, **more) as bot:
            return await work(bot)

    return asyncio.run(main())


def test_sends_and_receives_until_the_peer_says_goodbye():
    async def talk(bot):
        await bot.got(lambda message: message == {"a": 1})
        await bot.socket.send(b"binary is left out")
        await bot.send({"b": 2})
        await bot.socket.close()

    async def work(bot):
        socket = await connect(bot.url, seconds=5, headers={"Authorization": "Bearer x"})
        await socket.send('{"a": 1}')
        received = [await socket.receive(), await socket.receive()]
        assert not socket.is_open
        await socket.send("late")  # for nobody: it has said goodbye
        await socket.close()
        return received, bot.headers[0]["Authorization"]

    assert run(work, talk) == (['{"b": 2}', None], "Bearer x")


def test_a_lost_socket_and_a_message_too_large_are_failures():
    async def drop(bot):
        bot.socket.transport.abort()

    async def flood(bot):
        await bot.socket.send("x" * (LARGEST_MESSAGE + 1))
        await bot.socket.wait_closed()

    async def work(bot):
        socket = await connect(bot.url, seconds=5)
        try:
            with pytest.raises(TransportFailed, match="lost"):
                await socket.receive()
            with pytest.raises(TransportFailed, match="closed"):
                await socket.send("late")
        finally:
            await socket.close()

    run(work, drop)
    run(work, flood)


def test_tells_why_it_could_not_connect():
    async def refused(bot):
        with pytest.raises(TransportFailed, match="refused the WebSocket with status 403"):
            await connect(bot.url, seconds=5)

    async def late(bot):
        with pytest.raises(TransportFailed, match=r"no WebSocket within 0\.05 s"):
            await connect(bot.url, seconds=0.05)

    async def gone(bot):
        with pytest.raises(TransportFailed, match=r"127\.0\.0\.1:9/x: nobody listens there"):
            await connect("ws://user:secret@127.0.0.1:9/x", seconds=5)

    run(refused, refuse=403)
    run(late, hang=True)
    run(gone)


def test_hides_what_is_secret_in_a_url():
    assert without_password("wss://me:pw@bot.example/a?token=1") == "wss://bot.example/a"


@pytest.mark.parametrize(
    "url",
    [
        "wss://secret@bot.example/a?secret=1",
        "wss://bot.example/a?secret=1#b",
        "wss://[secret",
        "wss://me:secret",
    ],
)
def test_hides_what_is_secret_in_a_url_that_is_none(url):
    async def main():
        with pytest.raises(TransportFailed) as error:
            await connect(url, seconds=5)
        return str(error.value)

    assert "secret" not in asyncio.run(main())


def test_names_errors_without_words():
    assert str(failed(ValueError(), "there")) == "there: ValueError"
