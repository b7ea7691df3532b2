"""The lamp shop that callers of e2e tests ring up: what is said, its tool, its agent, one call."""

import asyncio
import json

import numpy as np

from opensip.agent.definition import Agent, Entry, ToolTable
from opensip.agent.providers.shared import close_shared
from opensip.audio.tones import tone
from opensip.call.exchange import Exchange
from opensip.call.inbound import InboundCalls
from opensip.carriers import Number, Trunk
from opensip.media.engine_python import PythonEngine
from opensip.media.ports import PortPool
from opensip.media.session import MediaConfig
from opensip.net.sip_transport import Listener
from opensip.phone.caller import Caller, CallerConfig
from opensip.phone.desk import Desk
from opensip.phone.line import Line, LineConfig
from opensip.phone.script import Say, Wait
from tests.fakes.agents import CALLER, LOCAL, endpoint, uri_of
from tests.fakes.exchanges import journal, records
from tests.fakes.openai_server import RATE, Ask

HELLO, ORDER, LAMPS, PRICE, PERSON = (
    "Hello, who is this?", "Where is order 4217?", "Tell me about your lamps.",
    "Stop. What does one cost?", "I want to talk to a person.",
)  # fmt: skip
STEPS = [Say(HELLO), Say(ORDER), Say(LAMPS), Say(PRICE), Wait(2.5), Say(PERSON)]
PITCH = {text: 300 + 100 * n for n, text in enumerate((HELLO, ORDER, LAMPS, PRICE, PERSON))}
STORY = (
    "We have lamps of brass, of glass and of wood, and each of them has a story of its own. " * 5
)
TOOLS = '''
def find_order(number: str, call: dict) -> dict:
    """Find an order.

    Args:
        number: its four digits
    """
    return {"item": "one brass lamp", "for": call["caller"], "number": number}
'''


async def speak(text, rate):
    """Say a text as a tone whose pitch stands for it."""
    return tone(PITCH.get(text, 900), 0.5, rate, level_dbfs=-20)


def ears(samples, rate):
    """Hear which text a tone stands for."""
    spectrum = np.abs(np.fft.rfft(samples))
    pitch = np.argmax(spectrum) * rate / len(samples)
    return min(PITCH, key=lambda text: abs(PITCH[text] - pitch))


def voice(text):
    return tone(440, 0.03 * len(text), RATE, level_dbfs=-18)


def brain(messages, tools):
    last = messages[-1]
    if last["role"] == "tool":
        return [f"Your {json.loads(last['content'])['item']} is on its way."]
    said = last["content"]
    if ORDER in said:
        return ["One moment, I will look. ", Ask("find_order", {"number": "4217"})]
    if PERSON in said:
        told = {"entry": "human", "intent": "complaint", "summary": "Order 4217 came broken."}
        return ["I connect you to the desk. ", Ask("transfer", told)]
    if PRICE in said:
        return ["It costs **twenty** dollars."]
    return [STORY] if LAMPS in said else ["This is Harbor Lamps."]


async def ring(folder, account, reports, *, others=None, **slots):
    """Call the shop, whose agent has `slots` and `others` beside its own; give what came of it."""
    tools = folder / "tools.py"
    tools.write_text(TOOLS)

    def agent(desk):
        return Agent(
            "shop", persona="You are Ada of Harbor Lamps.", greeting="Hello.",
            providers={"main": account, **(others or {})},
            directory={"human": Entry(desk, "the desk")},
            tools={"find_order": ToolTable(file=tools)}, **slots,
        )  # fmt: skip

    return await call(agent, folder / "data", reports)


async def call(agent, tmp_path, reports):
    loop = asyncio.get_running_loop()
    engine = PythonEngine(loop)
    listener = Listener("UDP", "127.0.0.1", 0)
    until = asyncio.Event()
    desk = Desk(
        LineConfig("127.0.0.1", srtp="off", listeners=(listener,)), LOCAL, speak=speak,
        report=lambda what, **more: reports.append((f"desk {what}", more)),
    )  # fmt: skip
    serving = asyncio.create_task(desk.serve(until))
    while not desk.line.endpoint.bound:  # noqa: ASYNC110  the desk sets no event
        await asyncio.sleep(0.01)
    exchange = Exchange(
        engine=engine,
        ports=PortPool("127.0.0.1", 0, 0, clock=loop.time),
        media=MediaConfig("127.0.0.1"),
        agents={"shop": agent(f"sip:desk@127.0.0.1:{desk.line.endpoint.bound[0][2]}")},
        data=tmp_path,
        now=loop.time,
    )
    calls = InboundCalls(exchange, {"local": Trunk("local", numbers={"*": Number("shop")})})
    server = endpoint(calls.receive)
    await server.start()
    config = CallerConfig(
        uri_of(server, "shop"), CALLER, STEPS,
        patience=2.0, longest=1.5, linger=5.0,  # so the long story is spoken over
    )  # fmt: skip
    try:
        async with Line(LineConfig("127.0.0.1", srtp="off", listeners=(listener,))) as line:
            caller = Caller(
                line, config, speak=speak,
                report=lambda what, **more: reports.append((what, more)),
            )  # fmt: skip
            return await caller.run()
    finally:
        until.set()
        await serving
        await server.close()
        engine.close()
        await close_shared()


def answers_of(result, reports, data):
    """Check what every such call comes to, and give the agent's turns from its record."""
    assert result.transferred_to.startswith("sip:desk@127.0.0.1")
    [record] = records(data)
    assert (record["outcome"], record["intent"]) == ("transferred", "complaint")
    said = [turn["text"] for turn in record["turns"] if turn["speaker"] == "caller"]
    assert said == list(PITCH)
    assert record["tools"][0]["result"] == {
        "item": "one brass lamp", "for": "alice", "number": "4217",
    }  # fmt: skip
    [called] = [more for what, more in reports if what == "desk called"]
    assert (called["intent"], called["summary"]) == ("complaint", "Order 4217 came broken.")
    kinds = {event["kind"] for event in journal(data)}
    assert {"barged_in", "model_answered", "turn_taken", "tool_called"} <= kinds
    answers = [turn for turn in record["turns"] if turn["speaker"] == "agent"]
    [story] = [turn for turn in answers if turn["interrupted"]]
    assert STORY.startswith(story["heard"])
    assert 10 < len(story["heard"]) < 200
    return answers
