import asyncio

import pytest
from aiortc import RTCCertificate, RTCDtlsTransport
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters
from hypothesis import given
from hypothesis import strategies as st
from pyee.asyncio import AsyncIOEventEmitter

from opensip.media.beside import is_dtls
from opensip.media.dtls import MTU, DtlsCertificate, DtlsHandshake, is_client_hello
from opensip.rtp.packet import RtpPacket
from opensip.rtp.srtp import SrtpSession
from opensip.sdp.fingerprint import Fingerprint

ONE, OTHER = DtlsCertificate(), DtlsCertificate()
STRANGER = Fingerprint("sha-256", bytes(32))


def pair(client_expects=OTHER.fingerprint, server_expects=ONE.fingerprint):
    return (
        DtlsHandshake(ONE, (client_expects,), is_client=True),
        DtlsHandshake(OTHER, (server_expects,), is_client=False),
    )


def shake(client, server, change=lambda datagram: datagram):
    """Carry datagrams between both until none is left; gives all of them."""
    carried = []
    while True:
        some = [(d, server) for d in client.datagrams_to_send()]
        some += [(d, client) for d in server.datagrams_to_send()]
        if not some:
            return carried
        for datagram, to in some:
            carried.append(datagram)
            to.receive(change(datagram))


def test_both_come_to_the_same_keys():
    client, server = pair()
    carried = shake(client, server)
    assert client.keys is not None
    assert server.keys is not None
    assert client.keys.suite == server.keys.suite == "AES_CM_128_HMAC_SHA1_80"
    assert (client.keys.transmit, client.keys.receive) == (
        server.keys.receive,
        server.keys.transmit,
    )
    packet = RtpPacket(0, 1, 160, 7, b"\xff" * 160).serialize()
    protected = SrtpSession(client.keys.suite, client.keys.transmit).protect(packet)
    assert SrtpSession(server.keys.suite, server.keys.receive).unprotect(protected) == packet
    assert is_client_hello(carried[0])
    assert not is_client_hello(carried[1])
    assert all(is_dtls(datagram) and len(datagram) <= MTU for datagram in carried)
    assert (client.timeout, server.timeout) == (None, None)


@pytest.mark.parametrize(
    ("client_expects", "server_expects"),
    [(STRANGER, ONE.fingerprint), (OTHER.fingerprint, STRANGER), (STRANGER, STRANGER)],
)
def test_a_wrong_fingerprint_gives_nobody_keys(client_expects, server_expects):
    client, server = pair(client_expects, server_expects)
    shake(client, server)
    assert (client.keys, server.keys) == (None, None)
    wrong = client if client_expects == STRANGER else server
    assert wrong.refusal == "the peer's certificate has another fingerprint than its SDP says"
    assert wrong.timeout is None


def test_every_agreed_fingerprint_will_do():
    client = DtlsHandshake(ONE, (STRANGER, OTHER.fingerprint), is_client=True)
    server = DtlsHandshake(OTHER, (ONE.fingerprint,), is_client=False)
    shake(client, server)
    assert client.keys is not None


def test_what_is_cut_short_is_dropped_and_the_handshake_goes_on():
    client, server = pair()
    hello = client.datagrams_to_send()[0]
    for size in range(len(hello)):
        server.receive(hello[:size])
    assert server.dropped == {"dtls_malformed": len(hello) - 1}  # nothing at all is no lie
    server.receive(hello)
    shake(client, server)
    assert server.keys is not None


def test_what_no_path_carries_is_not_looked_at():
    client, server = pair()
    hello = client.datagrams_to_send()[0]
    server.receive(hello * 8)
    assert server.dropped == {"dtls_malformed": 1}
    assert server.datagrams_to_send() == []


def test_an_alert_that_nobody_signed_ends_nothing():
    client, server = pair()
    alert = bytes.fromhex("15fefd0000000000000009") + b"\x00\x02\x02\x28"
    client.receive(alert)
    server.receive(alert)
    shake(client, server)
    assert client.keys is not None
    assert client.dropped == server.dropped == {"dtls_alert": 1}


@given(st.binary(max_size=100), st.sampled_from((22, 20, 23, 24, 25)))
def test_noise_in_a_record_raises_nothing(body, kind):
    client, server = pair()
    head = bytes((kind, 0xFE, 0xFD)) + bytes(8) + len(body).to_bytes(2, "big")
    for handshake in (client, server):
        handshake.receive(head + body)
        handshake.receive(body)
        handshake.datagrams_to_send()
        assert handshake.keys is None
        assert handshake.refusal == ""


def test_noise_after_the_keys_changes_nothing():
    client, server = pair()
    shake(client, server)
    keys = server.keys
    server.receive(bytes((23, 0xFE, 0xFD, 0, 1)) + bytes(6) + b"\x00\x05hello")
    server.receive(bytes((22, 0xFE, 0xFD)) + bytes(8) + b"\x00\x05hello")
    assert (server.keys, server.broken, server.refusal) == (keys, "", "")


def test_what_is_not_dtls():
    assert not is_dtls(b"")
    assert not is_dtls(b"\x80\x00")
    assert not is_client_hello(b"\x16")
    finished = b"\x16\xfe\xfd\0\1" + bytes(8) + b"\1\x23"  # encrypted: epoch 1, any first octet
    assert not is_client_hello(finished)
    assert is_client_hello(finished[:4] + b"\0" + finished[5:])


# ---- aiortc as the peer


class Way(AsyncIOEventEmitter):
    """What aiortc takes for ICE: a way to one handshake of ours."""

    def __init__(self, ours, role):
        super().__init__()
        self.role, self.state = role, "completed"
        self._connection = object()
        self._ours, self._to_read = ours, asyncio.Queue()

    async def _recv(self):
        return await self._to_read.get()

    async def _send(self, data):
        self._ours.receive(data)
        self.carry()

    def carry(self):
        for datagram in self._ours.datagrams_to_send():
            self._to_read.put_nowait(datagram)


@pytest.mark.parametrize("is_client", [True, False])
def test_aiortc_comes_to_the_same_keys(is_client):
    async def main():
        certificate = RTCCertificate.generateCertificate()
        value = next(f.value for f in certificate.getFingerprints() if f.algorithm == "sha-256")
        ours = DtlsHandshake(ONE, (Fingerprint.parse(f"sha-256 {value}"),), is_client=is_client)
        way = Way(ours, "controlled" if is_client else "controlling")
        peer = RTCDtlsTransport(way, [certificate])
        peer._set_role("server" if is_client else "client")
        way.carry()
        digest = str(ONE.fingerprint).partition(" ")[2]
        await peer.start(RTCDtlsParameters([RTCDtlsFingerprint("sha-256", digest)]))
        assert peer.state == "connected"
        assert ours.keys is not None
        packet = RtpPacket(0, 1, 160, 7, b"\xff" * 160).serialize()
        there = SrtpSession(ours.keys.suite, ours.keys.transmit).protect(packet)
        assert peer._rx_srtp.unprotect(there) == packet
        back = peer._tx_srtp.protect(packet)
        assert SrtpSession(ours.keys.suite, ours.keys.receive).unprotect(back) == packet
        await peer.stop()

    asyncio.run(main())
