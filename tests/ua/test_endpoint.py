import asyncio
from ipaddress import ip_network

import pytest
import structlog

from opensip.sip.digest import Ha1
from opensip.ua.admission import TrunkAdmission
from tests.fakes.agents import LOCAL, Words, admission
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


def test_a_stranger_is_banned_for_a_flood_of_what_cannot_be_read_too():
    async def check(it):
        for _ in range(400):
            it.send(b"OPTIONS sip:a SIP/2.0\r\nContent-Length: many\r\n\r\n")
        await it.peer.silence()
        assert set(it.us.gate.counts) == {"malformed", "rate", "banned"}

    scene(check, host="192.0.2.66")


def test_garbage_of_a_known_source_is_answered_as_far_as_it_can_be_read():
    async def check(it):
        it.send(it.peer.request("OPTIONS").to_bytes().replace(b"SIP/2.0\r\nVia", b"SIP/7.0\r\nVia"))
        assert (await it.peer.get()).status == 505
        it.send(b"OPTIONS sip:a SIP/2.0\r\n\r\n")
        it.send(b"\x00\x01\x02 SIP/2.0\r\n\r\n")
        it.send(it.peer.answer(it.peer.request("OPTIONS"), 200))
        await it.peer.silence()
        assert it.us.gate.counts["malformed"] == 3

    scene(check)


@pytest.mark.parametrize(
    ("method", "more"),
    [
        ("INVITE", {}),
        ("OPTIONS", {}),
        ("OPTIONS", {"CSeq": "1 INVITE"}),
        ("CANCEL", {}),
        ("BYE", {"to_tag": "x"}),
        ("ACK", {}),
        ("SHUFFLE", {"Via": "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1"}),
    ],
)
def test_an_unknown_network_meets_silence(method, more):
    async def check(it):
        it.send(it.peer.request(method, **more))
        it.send(b"INVITE sip:x SIP/9.0\r\n\r\n")
        await it.peer.silence(40)
        assert it.calls == []
        assert it.us.counts() == {"dialogs": 0, "transactions": 0, "calls": 0, "connections": 0}

    scene(check, host="192.0.2.66")


def test_strangers_may_be_refused_instead():
    async def check(it):
        for _ in range(2):
            response = await it.ask("INVITE")
            assert response.status == 403
        assert (await it.ask("CANCEL")).status == 481
        assert it.us.gate.counts["refused"] == 2

    scene(check, host="192.0.2.66", doors=admission(LOCAL, strangers="refuse"))


DIGEST = TrunkAdmission("secret", users={"alice": Ha1.of("alice", "opensip.test", "pw")})


def test_challenge_leaves_no_state_and_has_the_same_tag_each_time():
    async def check(it):
        first, second = await it.ask("INVITE"), await it.ask("INVITE")
        assert first.status == second.status == 401
        assert len(first.headers.get_all("WWW-Authenticate")) == 2
        assert first.to.tag == second.to.tag
        it.send(it.peer.request("ACK", to_tag=first.to.tag, branch="1"))
        await it.peer.silence()
        assert it.us.counts()["transactions"] == 0
        assert not it.us.gate.counts

    scene(check, doors=admission(DIGEST))


def test_wrong_password_is_counted():
    async def check(it):
        proof = (
            'Digest username="alice", realm="opensip.test", nonce="x", uri="sip:a", response="y"'
        )
        assert (await it.ask("INVITE", Authorization=proof)).status == 401
        assert it.us.gate.counts["challenged"] == 1

    scene(check, doors=admission(DIGEST))


def test_other_admission_after_a_reload():
    async def check(it):
        assert (await it.ask("OPTIONS")).status == 200
        it.us.gate.use(admission(TrunkAdmission("far", networks=(ip_network("10.0.0.0/8"),))))
        it.send(it.peer.request("OPTIONS", branch="2", Call_ID="2"))
        await it.peer.silence()

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


def test_draining_refuses_new_calls_only():
    async def check(it):
        await it.ask("INVITE")
        await it.peer.get()
        it.us.drain()
        assert it.us.is_draining
        for method in ("INVITE", "OPTIONS"):
            response = await it.ask(method, Call_ID="new", branch="new")
            if method == "INVITE":
                assert response.status == 503
            assert response.status == 503
            assert response.headers.get("Retry-After")
        assert it.us.counts()["calls"] == 1

    scene(check)


def test_too_many_calls():
    async def check(it):
        await it.ask("INVITE")
        await it.peer.get()
        assert (await it.ask("INVITE", Call_ID="2", branch="2")).status == 503

    scene(check, max_calls=1)


def test_closing_ends_the_calls():
    async def answer(call):
        session = await call.answer(Words())
        try:
            await session.wait_ended()
        finally:
            await session.bye()

    async def check(it):
        await it.ask("INVITE", body=b"offer")
        ok = await it.peer.get()
        it.send(it.peer.request("ACK", to_tag=ok.to.tag, branch="2"))
        await asyncio.sleep(0.1)
        closing = asyncio.create_task(it.us.close())
        bye = await it.peer.get()
        assert bye.method == "BYE"
        await closing

    scene(check, answer)


def test_closing_hangs_up_calls_that_we_made():
    async def check(it):
        await it.talk()
        await it.us.close()
        assert (await it.peer.get()).method == "BYE"

    scene(check)


def test_closing_waits_for_the_end_of_a_cancelled_call():
    async def check(it):
        call, invite = await it.dial()
        it.answer(invite, 180)
        await asyncio.sleep(0.1)
        call.cancel()
        closing = asyncio.create_task(it.us.close())
        cancel = await it.peer.get()
        it.answer(cancel, 200)
        await asyncio.sleep(0.4)
        assert not closing.done()
        it.answer(invite, 487)
        assert (await it.peer.get()).method == "ACK"
        await closing

    scene(check)


def test_closing_hangs_up_a_call_whose_answer_crosses_the_cancel():
    async def check(it):
        call, invite = await it.dial()
        it.answer(invite, 180)
        await asyncio.sleep(0.1)
        call.cancel()
        closing = asyncio.create_task(it.us.close())
        it.answer(invite, 200, body=b"answer")
        got = [(await it.peer.get()) for _ in range(3)]
        assert [m.method for m in got] == ["CANCEL", "ACK", "BYE"]
        assert not closing.done()
        it.answer(got[2], 200)
        await closing

    scene(check)


def test_closing_does_not_wait_for_ever():
    async def check(it):
        await it.dial()
        await it.us.close()
        assert asyncio.get_running_loop().time() == pytest.approx(2, abs=0.1)

    scene(check)


def test_admitted_connection_is_trusted():
    async def check(it):
        await it.ask("OPTIONS")
        [node] = [n for n in it.link.nodes.values() if n is not it.peer]
        assert [flow.serial for flow in node.trusted] == [9]

    scene(check, transport="TCP")


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
