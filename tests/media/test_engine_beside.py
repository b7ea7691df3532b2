"""What comes to the port of RTP beside it (RFC 7983), and keys by DTLS, on each engine."""

import asyncio
import socket

import pytest

from opensip.media.engine import MOST_BESIDE, StreamConfig
from opensip.media.ports import PortPool
from opensip.media.strangers import MOST_OF_ONE
from opensip.rtp.rtcp import ReceiverReport, SourceDescription, serialize_compound
from opensip.rtp.stun import BINDING_REQUEST, USE_CANDIDATE, USERNAME, StunMessage
from tests.fakes.engines import each_engine
from tests.fakes.parties import Party, connect, run, voice

RTCP = serialize_compound(ReceiverReport(7, ()), SourceDescription(7, ((1, b"peer"),)))


def peer_socket():
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind(("127.0.0.1", 0))
    peer.setblocking(False)
    return peer


@each_engine
def test_what_comes_beside_rtp_is_handed_on_and_bounded(engine_type):
    async def main():
        loop = asyncio.get_running_loop()
        engine, pair = engine_type(loop), PortPool("127.0.0.1", 0, 0, clock=loop.time).take()
        port, peer, batches = pair.address, peer_socket(), []
        stream = engine.open(pair, StreamConfig(beside=True))
        stream.listener = batches.append
        stream.expect_beside([("a.name", 4000), peer.getsockname()])
        await asyncio.sleep(0.1)
        for first in (0, 3, 20, 63):
            peer.sendto(bytes((first,)) * 30, port)
        for first in (4, 19, 64, 127, 200):
            peer.sendto(bytes((first,)) * 30, port)
        peer.sendto(RTCP, port)
        peer.sendto(b"", port)
        await asyncio.sleep(0.1)
        came = [datagram for batch in batches for datagram in batch.beside]
        assert [datagram.data[0] for datagram in came] == [0, 3, 20, 63]
        assert {datagram.source for datagram in came} == {peer.getsockname()}
        assert stream.statistics()["dropped_early"] == 7
        for _ in range(3 * MOST_BESIDE):
            peer.sendto(b"\x00" * 20, port)
        await asyncio.sleep(0.1)
        assert stream.statistics()["dropped_crowded"] == 2 * MOST_BESIDE
        assert sum(len(batch.beside) for batch in batches) == 4 + MOST_BESIDE
        stream.send_beside(b"\x16 there", peer.getsockname())
        stream.send_beside(b"\x16 nowhere", ("127.0.0.1", 65536))
        assert peer.recv(100) == b"\x16 there"
        assert stream.statistics()["unsent"] == 1
        peer.close()
        engine.close()
        await asyncio.sleep(0)

    run(main)


def crowd():
    """Three sockets of one host that is not the peer's."""
    made = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
    for one in made:
        one.bind(("127.0.0.2", 0))
    return made


@each_engine
def test_strangers_have_a_part_of_the_room_and_of_each_second(engine_type):
    async def main():
        loop = asyncio.get_running_loop()
        engine, pair = engine_type(loop), PortPool("127.0.0.1", 0, 0, clock=loop.time).take()
        port, peer, strangers, batches = pair.address, peer_socket(), crowd(), []
        stream = engine.open(pair, StreamConfig(beside=True))
        stream.listener = batches.append
        stream.expect_beside([peer.getsockname()])
        await asyncio.sleep(0.1)
        for _ in range(50):
            for one in strangers:
                one.sendto(b"\x00" * 20, port)
                one.sendto(b"\x16" * 20, port)
            peer.sendto(b"\x01" * 20, port)
            await asyncio.sleep(0.02)
        came = [datagram for batch in batches for datagram in batch.beside]
        assert sum(datagram.source == peer.getsockname() for datagram in came) == 50
        theirs = sum(datagram.source[0] == "127.0.0.2" for datagram in came)
        assert MOST_OF_ONE <= theirs <= 2 * MOST_OF_ONE  # a second, or two that it touches
        assert stream.statistics()["dropped_crowded"] == 6 * 50 - theirs
        for one in (peer, *strangers):
            one.close()
        engine.close()
        await asyncio.sleep(0)

    run(main)


def behind(address):
    """Change an offer to that of a peer that does ICE, and tells that it is at `address`."""

    def change(offer):
        lines = offer.decode().splitlines(keepends=True)
        kept = "".join(one for one in lines if not one.startswith(("a=ice-lite", "a=candidate")))
        return kept.replace("127.0.0.1", address).encode()

    return change


def check_of(caller, callee):
    """Write the ICE check that the caller sends to the callee."""
    one, other = (party.session._keying.own for party in (caller, callee))
    user = (USERNAME, f"{other.ufrag}:{one.ufrag}".encode())
    message = StunMessage(BINDING_REQUEST, bytes(12), (user, (USE_CANDIDATE, b"")))
    return message.to_bytes(other.password.encode())


@each_engine
@pytest.mark.parametrize("told", ["127.0.0.1", "192.0.2.9"])
def test_whoever_floods_the_port_the_peer_proves_itself_and_comes_to_its_keys(engine_type, told):
    async def main():
        caller, callee = Party(engine_type, keying="dtls"), Party(engine_type, keying="dtls")
        connect(caller, callee, behind(told))
        strangers, port = crowd(), callee.session.address
        for tick in range(100):
            for one in strangers:
                for _ in range(10):
                    one.sendto(b"\x00\x01" + bytes(18), port)
                    one.sendto(b"\x16\xfe\xfd" + bytes(22), port)
            if tick % 25 == 5:
                caller.session.stream.send_beside(check_of(caller, callee), port)
            await asyncio.sleep(0.02)
        assert [len(party.notes) for party in (caller, callee)] == [1, 1]
        assert callee.session.negotiated.dtls is not None
        assert callee.counts["received"] > 20
        assert callee.counts["dropped_crowded"] > 5000
        for party in (caller, callee):
            await party.session.close()
            party.engine.close()
        for one in strangers:
            one.close()
        await asyncio.sleep(0)

    run(main)


@each_engine
def test_rtp_has_its_port_for_itself_unless_it_is_shared(engine_type):
    async def main():
        loop = asyncio.get_running_loop()
        engine, pair = engine_type(loop), PortPool("127.0.0.1", 0, 0, clock=loop.time).take()
        port, peer, batches = pair.address, peer_socket(), []
        stream = engine.open(pair, StreamConfig(remote=peer.getsockname()))
        stream.listener = batches.append
        await asyncio.sleep(0.1)
        peer.sendto(b"\x16" * 30, port)
        peer.sendto(RTCP, port)
        await asyncio.sleep(0.1)
        counts = stream.statistics()
        assert (counts["dropped_malformed"], counts["dropped_rtcp"]) == (1, 1)
        assert not any(batch.beside for batch in batches)
        peer.close()
        engine.close()
        await asyncio.sleep(0)

    run(main)


@each_engine
def test_reports_that_share_the_port_go_both_ways(engine_type):
    async def main():
        loop = asyncio.get_running_loop()
        engine, pair = engine_type(loop), PortPool("127.0.0.1", 0, 0, clock=loop.time).take()
        port, peer = pair.address, peer_socket()
        remote = peer.getsockname()
        config = StreamConfig(remote=remote, rtcp=remote, beside=True, mux=True, sending=False)
        stream = engine.open(pair, config)
        await asyncio.sleep(0.1)
        peer.sendto(RTCP, port)
        await asyncio.sleep(8)
        counts = stream.statistics()
        assert counts["rtcp_received"] == 1
        assert counts["rtcp_sent"] >= 1
        assert peer.recv(1500)[1] in (200, 201)
        assert counts.get("dropped_rtcp", 0) == 0
        peer.close()
        engine.close()
        await asyncio.sleep(0)

    run(main)


@each_engine
@pytest.mark.parametrize("offers", ["dtls", "auto"])
def test_keys_by_dtls_carry_sound_both_ways(engine_type, offers):
    async def main():
        caller, callee = Party(engine_type, keying="dtls"), Party(engine_type, keying=offers)
        connect(caller, callee)
        assert caller.notes == callee.notes == []
        await asyncio.sleep(0.5)
        [told] = caller.notes
        assert told.suite == callee.notes[0].suite == "AES_CM_128_HMAC_SHA1_80"
        caller.session.sink.write(voice(0.5))
        callee.session.sink.write(voice(0.5))
        await asyncio.sleep(1)
        assert abs(caller.heard()).max() > 4000
        assert abs(callee.heard()).max() > 4000
        before = caller.session.stream, caller.session.negotiated.tx_key
        connect(callee, caller)  # a later offer changes nothing
        await asyncio.sleep(0.2)
        assert (caller.session.stream, caller.session.negotiated.tx_key) == before
        assert len(caller.notes) == 1
        for party in (caller, callee):
            await party.session.close()
            party.engine.close()
        await asyncio.sleep(0)

    run(main)


@each_engine
def test_a_wrong_fingerprint_ends_the_session_and_nothing_is_heard(engine_type):
    async def main():
        caller, callee = Party(engine_type, keying="dtls"), Party(engine_type, keying="dtls")

        def forge(offer):
            start = offer.index(b"sha-256 ") + 8
            return offer[:start] + b":".join([b"AB"] * 32) + offer[start + 95 :]

        connect(caller, callee, forge)
        caller.session.sink.write(voice(0.5))
        callee.session.sink.write(voice(0.5))
        why = await asyncio.wait_for(callee.session.wait_broken(), 5)
        assert why == "the peer's certificate has another fingerprint than its SDP says"
        await asyncio.sleep(1)
        assert (caller.counts["sent"], callee.counts["sent"]) == (0, 0)
        assert (caller.counts["received"], callee.counts["received"]) == (0, 0)
        for party in (caller, callee):
            await party.session.close()
            party.engine.close()
        await asyncio.sleep(0)

    run(main)
