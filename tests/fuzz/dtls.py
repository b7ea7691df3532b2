"""Whatever comes as DTLS (RFC 7983) raises nothing, and brings nobody to keys.

What comes from elsewhere is not answered. What the peer sends is answered to it alone, in
datagrams that a path carries, and by one flight at most however much of it there is.
"""

import asyncio
from types import SimpleNamespace

from opensip.media.beside import is_dtls
from opensip.media.dtls import MTU, DtlsCertificate
from opensip.media.engine import Address, Beside
from opensip.media.keying import Keying
from tests.fakes.keyed_sides import ELSEWHERE, TWO, agreement
from tests.fuzz.target import Fault, Target

_FLIGHT = 1000  # octets: our certificate and what goes with it are 666
_CERTIFICATE = DtlsCertificate()
_LOOP = asyncio.new_event_loop()


def one_input(data: bytes) -> None:
    if not is_dtls(data):
        data = b"\x16" + data[1:]
    for role in ("active", "passive"):
        _LOOP.run_until_complete(_one_side(data, role))


async def _one_side(data: bytes, role: str) -> None:
    sent: list[tuple[bytes, Address]] = []
    failures: list[str] = []
    keying = Keying(
        certificate=_CERTIFICATE,
        send=lambda datagram, to: sent.append((datagram, to)),
        keyed=lambda: failures.append("keyed"),
        failed=failures.append,
        random=bytes,
    )
    peer = SimpleNamespace(address=TWO)
    keying.agree(agreement(peer, role, fingerprint=_CERTIFICATE.fingerprint), TWO)
    sent.clear()  # our ClientHello
    keying.receive(Beside(data, ELSEWHERE))
    assert sent == []
    assert keying.dropped == {"dtls_source": 1}
    keying.receive(Beside(data, TWO))
    assert all(to == TWO and len(datagram) <= MTU for datagram, to in sent)
    assert sum(len(datagram) for datagram, _ in sent) <= _FLIGHT
    assert (keying.keys, failures) == (None, [])
    keying.close()


def _record(kind: int, content: bytes, version: int = 0xFEFD) -> bytes:
    header = bytes((kind,)) + version.to_bytes(2, "big") + bytes(8)
    return header + len(content).to_bytes(2, "big") + content


_CLIENT_HELLO = bytes.fromhex(
    "16feff000000000000000000b4010000a800000000000000a8fefd683ba434012a75056551d1f1e93dae68a40049"
    "c5c8a695527ff8724d64d722f100000020c02cc030c02bc02fcca9cca8c0adc0acc024c028c023c027c00ac014c0"
    "09c0130100005eff01000100000b00020100000a000c000a001d0017001e00180019000e00090006000100070008"
    "000016000000170000000d002a0028040305030603080708080809080a080b080408050806040105010601030303"
    "010302040205020602"
)
_SERVER_HELLO = bytes.fromhex(
    "16fefd0000000000000000004c020000400000000000000040fefd0ec832dbb1fbc841a81a74daf6ea9938318c52"
    "0be930353bc6f04f5b80614f1600c02c000018ff01000100000b00020100000e0005000200010000170000"
)
_VERIFY = b"\x03\x00\x00\x17" + bytes(5) + b"\x00\x00\x17\xfe\xff\x14" + bytes(20)
_ALERT = _record(21, b"\x02\x28")
TARGET = Target(
    one_input,
    parser=(
        "opensip.media.beside:is_dtls",
        "opensip.media.dtls:is_client_hello",
        "opensip.media.dtls:DtlsHandshake.receive",
        "opensip.media.dtls:DtlsHandshake.datagrams_to_send",
        "opensip.media.dtls:_records",
        "opensip.media.dtls:_why",
    ),
    seeds=(
        _CLIENT_HELLO,
        _CLIENT_HELLO * 5,
        _CLIENT_HELLO[:100],
        _CLIENT_HELLO + _ALERT,
        _SERVER_HELLO,
        _record(22, _VERIFY, 0xFEFF),
        _record(22, b"\x01" + bytes(11)),
        _record(22, b"\x0e" + bytes(11)),
        _record(20, b"\x01"),
        _record(23, b"sound"),
        _record(24, bytes(9)),
        _ALERT,
        b"\x3f" + bytes(30),
    ),
    fault=Fault("opensip.media.dtls", "len(data) > _RECORD_HEADER and clear", "clear"),
    dear=(
        *(_record(kind, b"") * (1500 // 13) for kind in (20, 22, 23)),
        _record(22, b"") * (65536 // 13),
        _CLIENT_HELLO * (1500 // len(_CLIENT_HELLO)),
        _CLIENT_HELLO * (65536 // len(_CLIENT_HELLO)),
    ),
)
