import asyncio
import dataclasses

from opensip.agent.definition import Account, Agent
from opensip.agent.providers import Providers, Say, Understood
from opensip.agent.providers.scripted import (
    ScriptedDialogue,
    ScriptedRecognizer,
    ScriptedSynthesizer,
)
from opensip.agent.trial import Tried, tried
from opensip.errors import ProviderError
from tests.fakes.bot import Bot
from tests.fakes.virtual_time_loop import VirtualTimeLoop


def trial(agent, providers=None):
    async def main():
        return [dataclasses.replace(one, ms=round(one.ms)) async for one in tried(agent, providers)]

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def test_each_provider_is_tried_and_says_how_it_did():
    recognizer = ScriptedRecognizer([Understood("a test")], delay=0.2)
    providers = Providers(
        (recognizer,),
        (ScriptedDialogue([[Say("Hello."), Say("Yes?")]]), ScriptedDialogue(delay=1e6)),
        (ScriptedSynthesizer(fails_at=0), ScriptedSynthesizer()),
    )
    agent = Agent(
        "test", recognizer=("ear",), dialogue=("mind", "slow"), synthesizer=("mute", "voice")
    )
    assert trial(agent, providers) == [
        Tried("synthesizer", "mute", 100.0, "", "told to fail"),
        Tried("synthesizer", "voice", 100.0, "1.3 s of speech"),
        Tried("recognizer", "ear", 200.0, "'a test'"),
        Tried("dialogue", "mind", 150.0, "'Hello. Yes?'"),
        Tried("dialogue", "slow", 20000.0, "", "no answer within 20 s"),
    ]
    assert recognizer.fed == 22 * 480  # what the voice spoke


def test_what_a_recognizer_refuses_is_told():
    class Deaf(ScriptedRecognizer):
        async def finish(self):
            raise ProviderError("deaf")

    providers = Providers((Deaf(),), (ScriptedDialogue(),), ())
    agent = Agent("test", recognizer=("ear",), dialogue=("mind",), synthesizer=())
    assert trial(agent, providers)[0].error == "deaf"


def test_providers_are_made_where_none_are_given():
    names = ("scripted",)
    agent = Agent("test", recognizer=names, dialogue=names, synthesizer=names)
    assert [one.stage for one in trial(agent)] == ["synthesizer", "recognizer", "dialogue"]


def test_who_hears_and_speaks_at_once_is_reached_and_let_go():
    async def main():
        async with Bot() as bot, Bot(refuse=500) as closed:
            accounts = {
                "good": Account(provider="stream", base_url=bot.url),
                "bad": Account(provider="stream", base_url=closed.url),
            }
            agent = Agent("test", kind="stream", realtime=("good", "bad"), providers=accounts)
            return [one async for one in tried(agent)], bot.messages

    (good, bad), messages = asyncio.run(main())
    assert (good.stage, good.name, good.result, good.error) == (
        "realtime", "good", "takes calls", "",
    )  # fmt: skip
    assert "status 500" in bad.error
    assert messages == []
