"""A caller whose trunk knows no REFER, or refuses it, reaches a human all the same: through us."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.interop.hearing import (
    Samples,
    from_ulaw,
    is_hold_tone,
    is_voice,
    longest_gap,
    read_wav,
    share_of,
    to_ulaw,
)
from tests.interop.raw_peer import Message, RawPeer
from tests.interop.server import Server, free_ports

pytestmark = pytest.mark.interop

TRUNK = """\
[trunks.loopback]
networks = ["127.0.0.0/8"]
recording = "on"
[trunks.loopback.numbers]
"+15553334444" = "clerk"
[directory]
human = "sip:desk@127.0.0.1:{port}"
"""
NUMBER = "+15553334444"
NO_REFER = "Allow: INVITE, ACK, CANCEL, BYE, UPDATE\r\n"
CALLERS, HUMANS = 697, 1209  # Hz: what each says
EVENT = 101
LONGEST_GAP = 1.5  # seconds without voice or tone while the caller is handed over


@pytest.fixture
def human_port() -> int:
    return free_ports() + 7


@pytest.fixture
def server(folder: Path, human_port: int) -> Iterator[Server]:
    agents = str(Path(__file__).parent / "agents/*.toml")
    running = Server(folder, trunks=TRUNK.format(port=human_port), agents=agents)
    yield running
    running.stop()


@pytest.fixture
def caller(server: Server) -> Iterator[RawPeer]:
    peer = RawPeer((server.host, server.port))
    yield peer
    peer.close()


@pytest.fixture
def human(server: Server, human_port: int) -> Iterator[RawPeer]:
    peer = RawPeer((server.host, server.port), port=human_port)
    yield peer
    peer.close()


def ask_for_a_human(caller: RawPeer, *, extra: str = NO_REFER) -> None:
    """Call the clerk and press the key that leads to a human."""
    caller.invite(NUMBER, extra=extra)
    caller.rtp.wait_for(is_voice)
    caller.rtp.press("1")
    caller.rtp.press("#")


def pick_up(human: RawPeer, invite: Message) -> None:
    """Ring for a second, and answer."""
    human.respond(invite, "180 Ringing", tag="human")
    time.sleep(1)
    human.respond(invite, "200 OK", tag="human", body=human.rtp.description())
    human.wait_for("ACK")
    human.rtp.talk_to(invite.body)


def tone(hertz: float, seconds: float) -> bytes:
    return to_ulaw(0.3 * np.sin(2 * np.pi * hertz / 8000 * np.arange(round(8000 * seconds))))


def check_that_each_hears_the_other(caller: RawPeer, human: RawPeer) -> None:
    caller.rtp.say(tone(CALLERS, 3))
    human.rtp.say(tone(HUMANS, 3))
    human.rtp.wait_for(lambda ulaw: share_of(from_ulaw(ulaw), CALLERS) > 0.9)
    caller.rtp.wait_for(lambda ulaw: share_of(from_ulaw(ulaw), HUMANS) > 0.9)
    time.sleep(1)  # so that the recording has some of it


def seconds_of(samples: Samples, hertz: float) -> float:
    """Tell for how long a tone is heard."""
    pieces = samples[: len(samples) // 800 * 800].reshape(-1, 800)
    loud = [piece for piece in pieces if np.max(np.abs(piece)) > 0.1]
    return sum(share_of(piece, hertz) > 0.9 for piece in loud) / 10


def finished(server: Server, caller: RawPeer) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the record and the last of its transfers."""
    record = server.wait_for_record(caller.call_id)
    return record, record["transfers"][-1]


def test_who_knows_no_refer_is_joined_with_the_human(server, caller, human):
    ask_for_a_human(caller)
    invite = human.wait_for("INVITE", 15)
    assert "+15551112222" in invite.one("From")
    assert invite.one("X-Opensip-Intent")
    assert invite.one("User-to-User")
    caller.rtp.wait_for(is_hold_tone)
    pick_up(human, invite)
    check_that_each_hears_the_other(caller, human)

    caller.rtp.press("5")
    end = time.monotonic() + 5
    while not any(packet[1] & 0x7F == EVENT for _, packet in human.rtp.heard):
        assert time.monotonic() < end, "the digit never came"
        time.sleep(0.05)

    caller.cseq += 1
    held = caller.rtp.description() + "a=sendonly\r\n"
    caller.send(caller.request("INVITE", body=held))
    caller.wait_for(200)
    caller.send(caller.request("ACK"))
    change = human.receive()
    assert change is not None
    assert change.method in ("INVITE", "UPDATE")
    assert "a=sendonly" in change.body
    answer = human.rtp.description() + "a=recvonly\r\n"
    human.respond(change, "200 OK", body=answer)

    caller.bye()
    bye = human.wait_for("BYE")
    human.respond(bye, "200 OK")
    record, transfer = finished(server, caller)
    assert (transfer["strategy"], transfer["outcome"]) == ("bridge", "transferred")
    why = "both speak G.711"
    assert transfer["joined"] == {"way": "engine", "codecs": "PCMU and PCMU", "why": why}
    assert record["ending"]["side"] == "caller"
    heard, said = read_wav(Path(record["recording"]["path"]))
    assert seconds_of(heard, CALLERS) > 0.2
    assert seconds_of(said, HUMANS) > 0.2


def test_a_caller_whom_the_human_holds_without_music_hears_a_tone(server, caller, human):
    ask_for_a_human(caller)
    invite = human.wait_for("INVITE", 15)
    pick_up(human, invite)
    check_that_each_hears_the_other(caller, human)

    change_call(human, invite, "a=inactive\r\n")
    held = caller.receive()
    assert held is not None
    assert "a=sendonly" in held.body
    caller.respond(held, "200 OK", body=caller.rtp.description() + "a=recvonly\r\n")
    caller.rtp.wait_for(is_hold_tone)

    change_call(human, invite, "a=sendonly\r\n")  # with music now
    human.rtp.say(tone(HUMANS, 3))
    caller.rtp.wait_for(lambda ulaw: share_of(from_ulaw(ulaw), HUMANS) > 0.9)

    change_call(human, invite, "a=sendrecv\r\n")
    back = caller.wait_for(held.method)
    assert "a=sendrecv" in back.body
    caller.respond(back, "200 OK", body=caller.rtp.description())
    check_that_each_hears_the_other(caller, human)
    caller.bye()
    human.respond(human.wait_for("BYE"), "200 OK")
    assert finished(server, caller)[1]["outcome"] == "transferred"


def change_call(human: RawPeer, invite: Message, direction: str) -> None:
    """Send a re-INVITE in the dialog that `invite` began."""
    human.call_id, human.to = invite.one("Call-ID"), invite.one("From")
    human.target = invite.one("Contact").split("<")[1].split(">")[0]
    human.cseq += 1
    body = human.rtp.description() + direction
    human.send(human.request("INVITE", body=body).replace(";tag=raw", ";tag=human"))
    human.wait_for(200)
    human.send(human.request("ACK").replace(";tag=raw", ";tag=human"))


@pytest.mark.parametrize("refusal", ["405 Method Not Allowed", "603 Decline", "501 Not Here"])
def test_where_refer_is_refused_the_human_is_called(server, caller, human, refusal):
    ask_for_a_human(caller, extra="")
    caller.respond(caller.wait_for("REFER"), refusal)
    pick_up(human, human.wait_for("INVITE", 15))
    check_that_each_hears_the_other(caller, human)
    caller.bye()
    human.respond(human.wait_for("BYE"), "200 OK")
    record, transfer = finished(server, caller)
    assert [one["strategy"] for one in record["transfers"]] == ["refer", "bridge"]
    assert transfer["outcome"] == "transferred"
    _, said = read_wav(Path(record["recording"]["path"]))
    assert longest_gap(said) <= LONGEST_GAP


def test_a_human_who_is_busy_gives_the_caller_back_to_the_agent(server, caller, human):
    ask_for_a_human(caller)
    invite = human.wait_for("INVITE", 15)
    human.respond(invite, "486 Busy Here", tag="human")
    human.wait_for("ACK")
    caller.rtp.wait_for(is_voice)
    caller.bye()
    _, transfer = finished(server, caller)
    assert (transfer["outcome"], transfer["sip_status"]) == ("failed", 486)


def test_a_caller_who_leaves_while_it_rings_takes_the_ringing_along(server, caller, human):
    ask_for_a_human(caller)
    invite = human.wait_for("INVITE", 15)
    human.respond(invite, "180 Ringing", tag="human")
    time.sleep(0.5)
    caller.bye()
    cancel = human.wait_for("CANCEL")
    human.respond(cancel, "200 OK")
    human.respond(invite, "487 Request Terminated", tag="human")
    human.wait_for("ACK")
    record, _ = finished(server, caller)
    assert record["ending"]["side"] == "caller"
