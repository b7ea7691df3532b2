"""Who is let in by an endpoint, who is refused, and who meets silence."""

from ipaddress import ip_network

import pytest

from opensip.sip.digest import Ha1
from opensip.ua.admission import TrunkAdmission
from tests.fakes.agents import LOCAL, admission
from tests.fakes.scene import scene


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


def test_admitted_connection_is_trusted():
    async def check(it):
        await it.ask("OPTIONS")
        [node] = [n for n in it.link.nodes.values() if n is not it.peer]
        assert [flow.serial for flow in node.trusted] == [9]

    scene(check, transport="TCP")
