"""A Via is parsed, or refused with RemoteProtocolError; what was parsed can be written and read."""

from opensip.errors import RemoteProtocolError
from opensip.sip.fields import Via
from opensip.sip.message import MAX_HEADER
from tests.fuzz.target import Fault, Target


def one_input(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    try:
        via = Via.parse(text)
    except RemoteProtocolError:
        return
    if len(text) > MAX_HEADER:
        return  # what is longer is not even parsed
    assert Via.parse(str(via)) == via
    assert via.with_param("received", "192.0.2.1").received == "192.0.2.1"
    _ = via.branch, via.received, via.sent_by
    try:
        assert via.rport is None or 0 <= via.rport <= 65535
    except RemoteProtocolError:
        return


_RUNS = (
    b";a", b";a=b", b';a="b"', b'"', b'\\"', b",", b" ", b"\t", b"1", b":", b"[", b"]", b".", b"=",
    b";", b"/", b"SIP/", b"\xff", b"rport=", b";received=",
)  # fmt: skip
_STARTS = (b"", b"SIP/2.0/", b"SIP/2.0/UDP ", b"SIP/2.0/UDP b", b"SIP/2.0/UDP [", b"SIP/2.0/UDP b;")
TARGET = Target(
    one_input,
    parser=("opensip.sip.fields:Via",),
    seeds=(
        b"SIP/2.0/TLS 192.0.2.10:5061;branch=z9hG4bK0cB1d;rport",
        b"SIP / 2.0 / UDP  [2001:db8::9]:5060 ; received=[2001:db8::1];rport=7000",
        b'SIP/2.0/TCP host.example;maddr=239.255.255.1;ttl=15;x="y;z"',
        b"SIP/2.0/UDP host",
    ),
    fault=Fault("opensip.sip.fields", 'parse_number(value, "rport", limit=65535)', "int(value)"),
    words=(b"SIP/2.0/UDP ", b";branch=z9hG4bK", b";received=", b";rport=", b"[::1]", b":5060"),
    dear=tuple(start + (run * 65536)[: 65536 - len(start)] for start in _STARTS for run in _RUNS),
)
