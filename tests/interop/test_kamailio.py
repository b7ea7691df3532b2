"""Debian's Kamailio stands in front and stays on the path, over UDP and over TLS.

baresip calls `opensip serve` through it, and our own telephone calls baresip.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.baresip import Baresip, answering, needs_baresip
from tests.interop.hearing import read_mono, share_of
from tests.interop.kamailio import Kamailio, needs_kamailio
from tests.interop.our_phone import TONE, OurPhone
from tests.interop.raw_peer import Message, RawPeer
from tests.interop.server import Server, free_ports

pytestmark = [pytest.mark.interop, needs_kamailio]

TRUNK = """\
[trunks.loopback]
networks = ["127.0.0.0/8"]
srtp = "preferred"
max_seconds = {max_seconds}
[trunks.loopback.numbers]
tone = "tone"
"""
OUR_TONE, DESK_TONE = 1004, 520  # Hz
LONG = 3600.0
TIMER = "Supported: timer\r\n"


class Road:
    """A server, a proxy in front of it, and what calls through it, all by one transport."""

    def __init__(
        self, folder: Path, transport: str, *, max_seconds: float = LONG, min_se: int = 0,
        inside: str = "",
    ) -> None:  # fmt: skip
        self.folder, self.transport = folder, transport
        self.server = Server(folder, trunks=TRUNK.format(max_seconds=max_seconds))
        self.desk_port = free_ports(above=self.server.tls_port)
        self.proxy = Kamailio(
            folder / "kamailio", transport=transport, server_port=self.server.port,
            desk_port=self.desk_port, certs=self.server.certs, min_se=min_se, inside=inside,
        )  # fmt: skip
        self._sides = 2 if inside else 1
        self._open: list[Baresip | OurPhone | RawPeer] = []
        self._started = 0

    def phone(self, user: str, port: int = 0) -> Baresip:
        """Start a baresip that answers by itself; "desk" is where calls to the desk go."""
        self._started += 1
        phone = answering(
            self.folder / str(self._started), user, self.transport, self.server.certs, port=port,
            tone=DESK_TONE, first_port=43000 + 100 * (self._started % 10),
        )  # fmt: skip
        self._open.append(phone)
        return phone

    def desk(self) -> Baresip:
        """Start the telephone that calls to the desk reach."""
        return self.phone("desk", self.desk_port)

    def ours(self) -> OurPhone:
        """Start a telephone of ours."""
        phone = OurPhone(self.transport, self.server.certs / "ca.pem")
        self._open.append(phone)
        return phone

    def peer(self) -> RawPeer:
        """Make a peer of plain sockets that calls the server through the proxy."""
        address, ca = ("127.0.0.1", self.proxy.port), self.server.certs / "ca.pem"
        peer = RawPeer(address, transport=self.transport, ca=ca)
        peer.target = f"sip:tone@127.0.0.1:{self.proxy.port}"
        peer.to = f"<{peer.target}>"
        self._open.append(peer)
        return peer

    def journal(self, record: dict[str, Any]) -> list[dict[str, Any]]:
        """The events of a call, in order."""
        [path] = self.folder.glob(f"data/journals/*{record['call_id']}*.jsonl")
        return [json.loads(line) for line in path.read_text().splitlines()]

    def check_requests(self, record: dict[str, Any]) -> list[str]:
        """See that each request of a call went through the proxy, and list their methods."""
        methods = []
        for event in self.journal(record):
            text = event.get("text", "")
            if not event["kind"].startswith("sip_") or text.startswith("SIP/2.0"):
                continue
            headers = Message.parse(text.encode()).headers
            if event["kind"] == "sip_received":
                assert [name for name, _ in headers].count("Via") == 2
                methods.append(f"<{text.split()[0]}")
            else:
                routes = [value for name, value in headers if name == "Route"]
                assert len(routes) == self._sides
                assert f"127.0.0.1:{self.proxy.port}" in routes[-1]
                methods.append(f">{text.split()[0]}")
        return methods

    def hang_up(self) -> None:
        """End all that called."""
        while self._open:
            self._open.pop().close()

    def close(self) -> None:
        """End the proxy and the server."""
        self.proxy.close()
        self.server.stop()


@pytest.fixture(scope="module")
def way(request: pytest.FixtureRequest) -> Iterator[Road]:
    transport, more = request.param
    with tempfile.TemporaryDirectory(prefix="opensip-") as name:
        made = Road(Path(name), transport, **more)
        yield made
        made.close()


@pytest.fixture
def road(way: Road) -> Iterator[Road]:
    yield way
    way.hang_up()


def roads(*transports: str, **more: Any) -> pytest.MarkDecorator:
    """Run a test on a road of each transport."""
    params = [pytest.param((transport, more), id=transport) for transport in transports]
    return pytest.mark.parametrize("way", params, indirect=True)


BOTH = roads("UDP", "TLS")


@needs_baresip
@BOTH
def test_baresip_calls_holds_comes_back_and_hangs_up(road: Road) -> None:
    caller = road.phone("caller")
    caller.command("dial", road.proxy.uri("tone"))
    caller.wait_for("CALL_ESTABLISHED")
    time.sleep(1)
    caller.command("hold")
    time.sleep(0.5)
    caller.command("resume")
    time.sleep(1)
    caller.command("hangup")
    record = road.server.next_record()
    assert (record["ending"]["side"], record["faults"]) == ("caller", [])
    assert bool(record["suite"]) == (road.transport == "TLS")
    methods = ["<INVITE", "<ACK", "<INVITE", "<ACK", "<INVITE", "<ACK", "<BYE"]
    assert road.check_requests(record) == methods
    assert [e["on"] for e in road.journal(record) if e["kind"] == "held"] == [True, False]
    assert share_of(read_mono(caller.heard()[0])[-4000:], OUR_TONE) > 0.9


@needs_baresip
@BOTH
def test_we_call_baresip_change_the_session_and_hang_up(road: Road) -> None:
    desk = road.desk()
    call = road.ours().dial(road.proxy.uri("desk"))
    desk.wait_for("CALL_ESTABLISHED")
    time.sleep(0.5)
    call.reinvite()
    time.sleep(1)
    call.bye()
    desk.wait_for("CALL_CLOSED")
    assert call.wire.requests() == [">INVITE", ">ACK", ">INVITE", ">ACK", ">BYE"]
    assert share_of(read_mono(desk.heard()[-1])[-4000:], TONE) > 0.9


@needs_baresip
@BOTH
def test_we_call_baresip_who_holds_comes_back_and_hangs_up(road: Road) -> None:
    desk = road.desk()
    call = road.ours().dial(road.proxy.uri("desk"))
    desk.wait_for("CALL_ESTABLISHED")
    for command in ("hold", "resume"):
        desk.command(command)
        time.sleep(0.5)
    desk.command("hangup")
    assert call.wait_ended().by == "remote"
    again = ["<INVITE", "<ACK"] * 2
    assert call.wire.requests() == [">INVITE", ">ACK", *again, "<BYE"]


# ---- session timers


@BOTH
def test_a_session_is_refreshed_by_the_caller(road: Road) -> None:
    peer = road.peer()
    invite = peer.request(
        "INVITE",
        extra=f"{TIMER}Session-Expires: 60\r\n",
        body=peer.rtp.description(),
        branch="short",
    )
    peer.send(invite)
    short = peer.wait_for(422)
    assert short.one("Min-SE") == "90"
    peer.send(peer.request("ACK", to=short.one("To"), branch="short"))
    peer.cseq += 1
    interval = f"{TIMER}Session-Expires: 90;refresher=uac\r\n"
    answers = [peer.invite("tone", extra=interval)]
    for method, body in (("UPDATE", ""), ("INVITE", peer.rtp.description())):
        peer.cseq += 1
        peer.send(peer.request(method, extra=interval, body=body))
        answers.append(peer.wait_for(200))
    peer.send(peer.request("ACK"))
    for answer in answers:
        assert answer.one("Session-Expires") == "90;refresher=uac"
        assert answer.one("Require") == "timer"
    peer.bye()
    record = road.server.next_record()
    if not record["answered"]:
        record = road.server.next_record()
    methods = ["<INVITE", "<ACK", "<UPDATE", "<INVITE", "<ACK", "<BYE"]
    assert road.check_requests(record) == methods


@needs_baresip
@roads("UDP", "TLS", max_seconds=1.5)
def test_we_hang_up_on_baresip(road: Road) -> None:
    caller = road.phone("caller")
    caller.command("dial", road.proxy.uri("tone"))
    caller.wait_for("CALL_ESTABLISHED")
    caller.wait_for("CALL_CLOSED")
    record = road.server.next_record()
    assert record["ending"]["side"] == "us"
    assert road.check_requests(record) == ["<INVITE", "<ACK", ">BYE"]


@needs_baresip
@roads("UDP", inside="TLS", max_seconds=3.0)
def test_from_udp_to_tls_and_back(road: Road) -> None:
    caller = road.phone("caller")
    caller.command("dial", road.proxy.uri("tone"))
    caller.wait_for("CALL_ESTABLISHED")
    for command in ("hold", "resume"):
        time.sleep(0.3)
        caller.command(command)
    caller.wait_for("CALL_CLOSED")
    record = road.server.next_record()
    methods = ["<INVITE", "<ACK", "<INVITE", "<ACK", "<INVITE", "<ACK", ">BYE"]
    assert road.check_requests(record) == methods
    [bye] = [e for e in road.journal(record) if e.get("text", "").startswith("BYE")]
    assert bye["transport"] == "TLS"


@needs_baresip
@roads("UDP", "TLS", min_se=3600)
def test_we_bear_the_interval_that_the_proxy_wants(road: Road) -> None:
    road.desk()
    call = road.ours().dial(road.proxy.uri("desk"))
    call.bye()
    invites = [Message.parse(m.encode()) for m in call.wire.messages if m.startswith(">INVITE")]
    assert [m.one("Session-Expires") for m in invites] == ["1800", "3600"]
    assert [m.one("Min-SE") for m in invites] == ["90", "3600"]
    assert any(m.startswith("<SIP/2.0 422") for m in call.wire.messages)


@pytest.mark.long
@BOTH
def test_we_refresh_in_time_and_hang_up_on_who_does_not(road: Road) -> None:
    ours, theirs = road.peer(), road.peer()
    began = time.monotonic()
    for peer, refresher in ((ours, "uas"), (theirs, "uac")):
        extra = f"{TIMER}Session-Expires: 90;refresher={refresher}\r\n"
        answer = peer.invite("tone", extra=extra)
        assert answer.one("Session-Expires") == f"90;refresher={refresher}"
    refresh = ours.wait_for("INVITE", 50)
    assert 44 < time.monotonic() - began < 48
    assert refresh.one("Session-Expires") == "90;refresher=uac"
    interval = f"{TIMER}Require: timer\r\nSession-Expires: 90;refresher=uac\r\n"
    ours.respond(refresh, "200 OK", interval, body=ours.rtp.description())
    ours.wait_for("ACK")
    bye = theirs.wait_for("BYE", 20)
    assert 57 < time.monotonic() - began < 63
    theirs.respond(bye, "200 OK")
    ours.bye()
    assert {road.server.next_record()["ending"]["side"] for _ in range(2)} == {"caller", "lost"}


@needs_baresip
@pytest.mark.long
@roads("UDP", "TLS", min_se=90)
def test_we_refresh_for_baresip_what_the_proxy_wants_to_expire(road: Road) -> None:
    caller = road.phone("caller")
    caller.command("dial", road.proxy.uri("tone"))
    caller.wait_for("CALL_ESTABLISHED")
    time.sleep(47)
    caller.command("hangup")
    record = road.server.next_record()
    methods = ["<INVITE", "<ACK", ">INVITE", ">ACK", "<BYE"]
    assert road.check_requests(record) == methods
