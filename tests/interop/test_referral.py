"""A human whom we called passes the caller on by REFER, as telephones do, and goes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.hearing import is_hold_tone, is_voice
from tests.interop.raw_peer import Message, RawPeer
from tests.interop.server import Server, free_ports
from tests.interop.test_bridge import (
    TRUNK,
    ask_for_a_human,
    check_that_each_hears_the_other,
    pick_up,
)

pytestmark = pytest.mark.interop


@pytest.fixture
def human_port() -> int:
    return free_ports() + 7


@pytest.fixture(params=["allow", "deny"])
def server(request: pytest.FixtureRequest, folder: Path, human_port: int) -> Iterator[Server]:
    agents = str(Path(__file__).parent / "agents/*.toml")
    trunks = TRUNK.format(port=human_port).replace(
        "recording", f'refers = "{request.param}"\nrecording'
    )
    running = Server(folder, trunks=trunks, agents=agents)
    yield running
    running.stop()


@pytest.fixture
def peers(server: Server, human_port: int) -> Iterator[list[RawPeer]]:
    """A caller, a human, and a colleague of the human's."""
    made = [RawPeer((server.host, server.port), port=port) for port in (0, human_port, 0)]
    yield made
    for peer in made:
        peer.close()


def within(human: RawPeer, invite: Message, method: str, cseq: int, extra: str = "") -> str:
    """Compose a request of who was called, in the dialog of `invite`."""
    uri = invite.one("Contact").split("<")[1].split(">")[0]
    return (
        f"{method} {uri} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {human.address}:{human.port};branch=z9hG4bKhuman{cseq};rport\r\n"
        f"Max-Forwards: 70\r\nFrom: {invite.one('To')};tag=human\r\nTo: {invite.one('From')}\r\n"
        f"Call-ID: {invite.one('Call-ID')}\r\nCSeq: {cseq} {method}\r\n"
        f"Contact: <{human.contact}>\r\n{extra}Content-Length: 0\r\n\r\n"
    )


def refer(human: RawPeer, invite: Message, to: str) -> int:
    """Ask us to call somebody else, and give the status that is answered."""
    human.send(within(human, invite, "REFER", 1, f"Refer-To: <{to}>\r\n"))
    while not (answer := human.receive()) or not answer.status:
        assert answer is not None, "no answer to the REFER"
    return answer.status


def notified(human: RawPeer) -> str:
    notify = human.wait_for("NOTIFY")
    human.respond(notify, "200 OK")
    return notify.body.split("\r\n")[0]


@pytest.mark.parametrize("server", ["allow"], indirect=True)
def test_the_caller_is_joined_with_the_colleague(server, peers):
    caller, human, colleague = peers
    ask_for_a_human(caller)
    invite = human.wait_for("INVITE", 15)
    context = invite.one("X-Opensip-Call-Id")
    pick_up(human, invite)
    check_that_each_hears_the_other(caller, human)

    to = (
        f"sip:colleague@{colleague.address}:{colleague.port}?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc"
    )
    assert refer(human, invite, to) == 202
    assert notified(human) == "SIP/2.0 100 Trying"
    call = colleague.wait_for("INVITE")
    assert call.one("X-Opensip-Call-Id") == context
    assert call.one("Replaces") == "a;to-tag=b;from-tag=c"
    human.send(within(human, invite, "BYE", 2))  # a blind transfer: the telephone goes at once
    human.wait_for(200)
    caller.rtp.wait_for(is_hold_tone)
    pick_up(colleague, call)
    check_that_each_hears_the_other(caller, colleague)

    caller.bye()
    colleague.respond(colleague.wait_for("BYE"), "200 OK")
    assert server.wait_for_record(caller.call_id)["ending"]["side"] == "caller"


@pytest.mark.parametrize("server", ["allow"], indirect=True)
def test_a_caller_whom_the_colleague_does_not_take_is_the_agents_again(server, peers):
    caller, human, colleague = peers
    ask_for_a_human(caller)
    invite = human.wait_for("INVITE", 15)
    pick_up(human, invite)
    check_that_each_hears_the_other(caller, human)
    assert refer(human, invite, f"sip:colleague@{colleague.address}:{colleague.port}") == 202
    call = colleague.wait_for("INVITE")
    human.send(within(human, invite, "BYE", 2))
    human.wait_for(200)
    caller.rtp.wait_for(is_hold_tone)
    colleague.respond(call, "486 Busy Here", tag="colleague")
    colleague.wait_for("ACK")
    caller.rtp.wait_for(is_voice)  # what it says now is "What else?", and it listens
    caller.rtp.press("1")
    caller.rtp.press("#")
    human.wait_for("INVITE", 15)


@pytest.mark.parametrize(
    ("server", "to", "status"),
    [("deny", "sip:x@127.0.0.1", 603), ("allow", "sip:x@elsewhere.example", 403)],
    indirect=["server"],
)
def test_without_leave_nobody_is_passed_on(server, peers, to, status):
    caller, human, _ = peers
    ask_for_a_human(caller)
    invite = human.wait_for("INVITE", 15)
    pick_up(human, invite)
    check_that_each_hears_the_other(caller, human)  # so they are joined
    assert refer(human, invite, to) == status
    check_that_each_hears_the_other(caller, human)
