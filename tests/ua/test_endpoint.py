import asyncio

import pytest
import structlog

from tests.fakes.agents import Words
from tests.fakes.scene import scene


def test_options_tells_what_we_can_do():
    async def check(it):
        response = await it.ask("OPTIONS")
        assert response.status == 200
        assert "REFER" in response.headers.get("Allow")
        assert response.headers.get("Accept").startswith("application/sdp")
        assert response.headers.has("Supported")
        assert response.to.tag
        assert response.via.received == "127.0.0.9"
        assert response.via.rport == 5060

    scene(check)


@pytest.mark.parametrize(
    ("method", "more", "status", "header"),
    [
        ("SUBSCRIBE", {}, 405, "Allow"),
        ("SHUFFLE", {}, 501, "Allow"),
        ("INVITE", {"Require": "precondition"}, 420, "Unsupported"),
        ("INVITE", {"uri": "http://x/"}, 416, None),
        ("INVITE", {"body": b"x", "Content_Type": "text/plain"}, 415, "Accept"),
        ("INFO", {}, 481, None),
        ("BYE", {"to_tag": "gone"}, 481, None),
        ("INVITE", {"to_tag": "gone"}, 481, None),
        ("OPTIONS", {"CSeq": "1 INVITE"}, 400, None),
        ("OPTIONS", {"Max_Forwards": "many"}, 400, None),
    ],
)
def test_what_is_refused(method, more, status, header):
    async def check(it):
        response = await it.ask(method, **more)
        assert response.status == status
        assert header is None or response.headers.has(header)
        assert response.to.tag
        assert it.calls == []
        assert it.us.gate.counts.total() == 1

    scene(check)


def test_invite_gets_100_at_once_and_is_not_begun_twice():
    async def check(it):
        assert (await it.ask("INVITE", body=b"offer")).status == 100
        assert (await it.peer.get()).status == 180
        it.send(it.peer.request("INVITE", body=b"offer"))
        assert (await it.peer.get()).status == 180
        [call] = it.calls
        assert (call.trunk, call.user, call.offer) == ("local", None, b"offer")
        assert it.us.counts()["calls"] == 1

    scene(check)


def test_merged_request():
    async def check(it):
        await it.ask("INVITE")
        assert (await it.peer.get()).status == 180
        assert (await it.ask("INVITE", branch="other")).status == 482
        assert len(it.calls) == 1

    scene(check)


def test_cancel_ends_the_invite():
    async def check(it):
        await it.ask("INVITE")
        await it.peer.get()
        it.send(it.peer.request("CANCEL", Via=it.peer.request("INVITE").headers.get("Via")))
        statuses = {(await it.peer.get()).cseq.method: 0, (await it.peer.get()).cseq.method: 0}
        assert set(statuses) == {"CANCEL", "INVITE"}
        await asyncio.sleep(0)
        assert it.us.counts()["calls"] == it.us.counts()["dialogs"] == 0

    scene(check)


@pytest.mark.parametrize("fails", [False, True])
def test_call_that_nobody_answers_gets_500(fails):
    async def give_up(call):
        if fails:
            raise RuntimeError("a bug")

    async def check(it):
        await it.ask("INVITE")
        assert (await it.peer.get()).status == 500

    with structlog.testing.capture_logs() as logs:
        scene(check, give_up)
    assert [line["event"] for line in logs] == ["call_failed"] * fails


def test_call_that_is_left_answered_is_hung_up():
    async def answer(call):
        await call.answer(Words())

    async def check(it):
        await it.ask("INVITE", body=b"offer")
        ok = await it.peer.get()
        it.send(it.peer.request("ACK", to_tag=ok.to.tag, branch="2"))
        assert (await it.peer.get()).method == "BYE"

    scene(check, answer)


def test_invite_without_contact():
    async def check(it):
        await it.ask("INVITE", Contact=None)
        assert (await it.peer.get()).status == 400
        assert it.calls == []

    scene(check)


def test_too_many_calls():
    async def check(it):
        await it.ask("INVITE")
        await it.peer.get()
        assert (await it.ask("INVITE", Call_ID="2", branch="2")).status == 503

    scene(check, max_calls=1)


def test_contact_is_that_of_the_listener():
    async def check(it):
        flow = it.calls or await it.us.flow_to(it.peer.request().contact.uri)
        assert it.us.contact(flow) == "<sip:127.0.0.1:5060>"
        assert it.us.contact(flow, secure=True) == "<sips:127.0.0.1:5060>"

    scene(check)


def test_observer_of_an_outbound_call():
    notes = Notes()

    async def check(it):
        call, invite = await it.dial(observer=notes)
        it.answer(invite, 200, body=b"answer")
        assert (await it.peer.get()).method == "ACK"
        session = await call.wait_answered()
        ending = asyncio.create_task(session.bye())
        it.answer(await it.peer.get(), 200)
        await ending
        await asyncio.sleep(1)
        assert not it.us._stack._watches

    scene(check)
    assert [event.text.partition(" ")[0] for event in notes.events] == [
        "INVITE",
        "SIP/2.0",
        "ACK",
        "BYE",
        "SIP/2.0",
    ]


class Notes:
    def __init__(self):
        self.events = []

    def note(self, event):
        self.events.append(event)


def test_observer_sees_every_message_of_its_call_masked():
    notes = Notes()

    async def busy(call):
        await asyncio.sleep(1)
        it.us.observe(call.request.call_id, notes)
        call.reject(486)

    async def check(inner):
        nonlocal it
        it = inner
        await it.ask("INVITE", body=b"a=crypto:1 X inline:secretkey", Call_ID="watched")
        response = await it.peer.get()
        via = response.headers.get("Via")
        it.send(it.peer.request("ACK", to_tag=response.to.tag, Call_ID="watched", Via=via))
        await it.peer.silence()

    it = None
    scene(check, busy)
    kinds = [(event.kind, event.text.partition("\r\n")[0]) for event in notes.events]
    assert kinds == [
        ("sip_received", "INVITE sip:bob@127.0.0.1 SIP/2.0"),
        ("sip_sent", "SIP/2.0 100 Trying"),
        ("sip_sent", "SIP/2.0 486 Busy Here"),
    ]
    assert "secretkey" not in notes.events[0].text
    assert notes.events[0].remote == "127.0.0.9:5060"
