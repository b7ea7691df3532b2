"""The line to a bot, over real WebSockets on this machine."""

import asyncio
import base64

import numpy as np
import pytest

from opensip.agent import live
from opensip.agent.definition import Account, Agent
from opensip.agent.live import Opening
from opensip.agent.providers import Brief
from opensip.agent.providers.stream import MOST_WRONG, make
from opensip.errors import ConfigError, OpenSipError, ProviderError
from tests.fakes.bot import Bot

QUIET = base64.b64encode(b"\xff" * 160).decode()


def line(bot, **account):
    account = Account(
        provider="stream", base_url=bot.url, api_key="k", parameters={"from": "{caller}"}, **account
    )
    variables = {"caller": "alice", "call_id": "c-7"}
    return make(Brief(Agent("test", kind="stream"), "bot", account, variables))


def run(work, talk=None, *, bot=None, **account):
    async def main():
        async with bot or Bot(talk) as served:
            it = line(served, **account)
            try:
                return await asyncio.wait_for(work(it, served), 10)
            finally:
                await it.close()

    return asyncio.run(main())


async def collected(it):
    return [one async for one in it.told()]


def test_speaks_as_twilio_does():
    async def talk(bot):
        sid = (await bot.got(lambda m: m["event"] == "start"))["streamSid"]
        await bot.send({"event": "media", "streamSid": sid, "media": {"payload": QUIET}})
        await bot.send({"event": "mark", "streamSid": sid, "mark": {"name": "m"}})
        await bot.send({"event": "clear", "streamSid": sid})
        await bot.send({"event": "weather"})
        await bot.got(lambda m: m["event"] == "dtmf")
        await bot.socket.close()

    async def work(it, bot):
        await it.connect()
        await it.connect()
        await it.begin(Opening((), "transfer_failed"))
        it.hear(np.zeros(250, np.int16))
        it.hear(np.zeros(250, np.int16))
        it.reached("m")
        it.cut("", 0.0)
        it.give(None, "")
        it.go_on()
        it.press("5")
        return await collected(it), bot

    told, bot = run(work, talk)
    sound, *rest = told
    assert (len(sound.samples), sound.rate, sound.item) == (160, 8000, "")
    assert rest == [live.Marked("m"), live.Cut()]
    assert bot.calls == 1
    assert bot.headers[0]["Authorization"] == "Bearer k"
    kinds = [m["event"] for m in bot.messages]
    assert kinds == ["connected", "start", "media", "media", "media", "mark", "dtmf"]
    start = bot.of("start")[0]["start"]
    assert start["callSid"] == "c-7"
    assert start["customParameters"] == {"from": "alice", "reason": "transfer_failed"}
    assert [m["media"]["timestamp"] for m in bot.of("media")] == ["0", "20", "40"]
    assert [m["sequenceNumber"] for m in bot.messages[1:]] == list("123456")


def test_speaks_as_bandwidth_does():
    pcm = base64.b64encode(np.full(320, 1000, "<i2").tobytes()).decode()

    async def talk(bot):
        await bot.got(lambda m: m["eventType"] == "media")
        media = {"contentType": "audio/pcm;rate=16000", "payload": pcm}
        await bot.send({"eventType": "playAudio", "media": media})
        await bot.send({"eventType": "clear"})
        await bot.socket.close()

    async def work(it, bot):
        await it.begin(Opening())
        it.press("5")
        it.hear(np.zeros(160, np.int16))
        return await collected(it), bot

    (sound, cut), bot = run(work, talk, protocol="bandwidth", when_closed="fall_back")
    assert (len(sound.samples), sound.rate, sound.samples[0]) == (320, 16000, 1000)
    assert cut == live.Cut()
    assert [m["eventType"] for m in bot.messages] == ["start", "media"]
    assert bot.messages[0]["streamParams"] == {"from": "alice"}


def test_tells_the_bot_when_the_stream_is_over():
    async def work(it, bot):
        await it.begin(Opening())
        await bot.got(lambda m: m["event"] == "start")
        await it.close()
        await bot.closed.wait()
        return bot.messages[-1]["event"]

    assert run(work) == "stop"


def test_who_begins_while_the_socket_is_opened_waits_for_that_one():
    async def work(it, bot):
        opening = asyncio.create_task(it.connect())
        await asyncio.sleep(0)
        await it.begin(Opening())
        await opening
        return bot.calls

    async def given_up(it, bot):
        opening = asyncio.create_task(it.connect())
        await asyncio.sleep(0.02)
        await it.close()
        assert (await asyncio.gather(opening, return_exceptions=True))[0] is not None

    assert run(work) == 1
    run(given_up, bot=Bot(hang=True))


def test_a_bot_that_cannot_be_reached_is_a_failed_provider():
    async def work(it, bot):
        with pytest.raises(ProviderError, match=r"bot: ws://.*: refused .* status 500"):
            await it.connect()

    async def late(it, bot):
        with pytest.raises(ProviderError, match=r"no WebSocket within 0\.05 s"):
            await it.begin(Opening())

    async def unknown(it, bot):
        with pytest.raises(
            ProviderError, match=r"status 401: see api_key of \[providers.bot"
        ) as told:
            await it.connect()
        assert told.value.rest == 60

    run(work, bot=Bot(refuse=500))
    run(unknown, bot=Bot(refuse=401))
    run(late, bot=Bot(hang=True), realtime_seconds=0.05)


def test_a_bot_that_is_lost_is_a_failed_provider():
    async def talk(bot):
        await bot.got(lambda m: m["event"] == "start")
        bot.socket.transport.abort()

    async def work(it, bot):
        await it.begin(Opening())
        with pytest.raises(ProviderError, match=r"bot: the WebSocket (was lost|is closed)"):
            await collected(it)

    run(work, talk)


def test_what_a_bot_says_wrong_is_left_out_until_it_is_too_much():
    async def talk(bot):
        for n in range(MOST_WRONG + 1):
            await bot.send('{"event": "media"}' if n else "no json")
        await bot.listen()

    async def work(it, bot):
        await it.begin(Opening())
        with pytest.raises(ProviderError, match=r"bot: media stream: media is missing"):
            await collected(it)

    run(work, talk)


def test_a_bot_that_reads_nothing_is_lost_once_it_is_far_behind():
    async def talk(bot):
        bot.socket.transport.pause_reading()
        await asyncio.sleep(3600)

    async def work(it, bot):
        await it.begin(Opening())
        telling = asyncio.create_task(collected(it))
        for _ in range(300):
            it.hear(np.zeros(160, np.int16))
        with pytest.raises(ProviderError, match="bot: it is 250 messages behind"):
            await telling

    run(work, talk)


def test_wants_an_address():
    with pytest.raises(ConfigError, match=r"providers\.bot\.base_url"):
        make(Brief(Agent("test"), "bot", Account(provider="stream")))


def test_a_probe_opens_a_socket_and_wakes_no_bot():
    async def work(it, bot):
        await it.health.probe()
        return it.health, bot.headers

    health, headers = run(work)
    assert not headers
    with pytest.raises(OpenSipError, match=r"127\.0\.0\.1"):
        asyncio.run(health.probe())


def closing(code, *, early=False, hears=True):
    """A bot closes its socket; we still have something to send. Give what is told."""

    async def talk(bot):
        if not early:
            await bot.got(lambda m: m["event"] == "start")
        await bot.socket.close(code)

    async def work(it, bot):
        await it.connect()
        if early:
            await bot.closed.wait()
            await asyncio.sleep(0.02)
        await it.begin(Opening())
        await bot.closed.wait()
        await asyncio.sleep(0.02)
        if hears:
            it.hear(np.zeros(800, np.int16))
            await asyncio.sleep(0.02)
        return await collected(it)

    return run(work, talk)


@pytest.mark.parametrize("hears", [True, False])
def test_a_goodbye_is_one_though_there_was_more_to_tell(hears):
    assert closing(1000, hears=hears) == []


@pytest.mark.parametrize("code", [1001, 1011, 1012])
@pytest.mark.parametrize("hears", [True, False])
def test_a_bot_whose_server_ends_or_fails_has_not_hung_up(code, hears):
    with pytest.raises(ProviderError, match=str(code)):
        closing(code, hears=hears)


def test_a_bot_that_left_while_the_phone_rang_is_asked_once_more():
    with pytest.raises(ProviderError, match="closed its socket before the call began") as raised:
        closing(1000, early=True)
    assert raised.value.retryable
