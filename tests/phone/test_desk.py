import asyncio
from ipaddress import ip_network

import pytest

from opensip.audio.tones import tone
from opensip.call.handoff import Handoff
from opensip.errors import ProviderError
from opensip.net.sip_transport import Listener
from opensip.phone.caller import Caller, CallerConfig
from opensip.phone.desk import Desk, described
from opensip.phone.line import Line, LineConfig
from opensip.sip.uri import NameAddr, Uri
from opensip.ua.admission import TrunkAdmission

LISTENERS = (Listener("UDP", "127.0.0.1", 0),)
LOCAL = TrunkAdmission("any", networks=(ip_network("127.0.0.0/8"),))


class Reports(list):
    def __init__(self):
        self.listening = asyncio.Event()

    def __call__(self, what, **details):
        self.append((what, details))
        self.listening.set()


async def speak(text, rate):
    return tone(440, 0.1, rate)


async def dumb(text, rate):
    raise ProviderError("the voice is gone")


def call_a_desk(voice):
    async def main():
        reports, done = Reports(), asyncio.Event()
        config = LineConfig("127.0.0.1", listeners=LISTENERS)
        desk = Desk(config, LOCAL, speak=voice, report=reports, ended=done.set)
        serving = asyncio.create_task(desk.serve(done))
        await reports.listening.wait()
        to = Uri.parse(f"sip:desk@127.0.0.1:{reports[0][1]['port']}")
        async with Line(config) as line:
            from_ = NameAddr.parse("<sip:ann@127.0.0.1>")
            caller = CallerConfig(to, from_, patience=0.2, linger=0.1)
            result = await Caller(line, caller, speak=speak, report=Reports()).run()
        await serving
        return result, [what for what, _ in reports]

    return asyncio.run(asyncio.wait_for(main(), 20))


@pytest.mark.e2e
def test_listens_answers_and_tells_the_end():
    result, told = call_a_desk(speak)
    assert result.answered
    assert told == ["listening", "called", "answered", "ended"]


@pytest.mark.e2e
def test_a_desk_without_a_voice_refuses():
    result, told = call_a_desk(dumb)
    assert (result.answered, result.status) == (False, 503)
    assert told == ["listening", "called", "failed"]


def test_describes_what_was_handed_over():
    handoff = Handoff("c-1", "billing", 0.5, "angry", ("caller: no",), {"order": "1"}, "https://x/")
    assert described(handoff) == {
        "call_id": "c-1",
        "intent": "billing",
        "confidence": 0.5,
        "summary": "angry",
        "fields": {"order": "1"},
        "transcript": ["caller: no"],
        "transcript_url": "https://x/",
        "left_out": "",
    }
