from hypothesis import given
from hypothesis import strategies as st

from opensip.rtp.ice_lite import MOST_SOURCES, IceLite
from opensip.rtp.stun import (
    BINDING_ERROR,
    BINDING_INDICATION,
    BINDING_REQUEST,
    BINDING_SUCCESS,
    ERROR_CODE,
    ICE_CONTROLLED,
    ICE_CONTROLLING,
    PRIORITY,
    UNKNOWN_ATTRIBUTES,
    USE_CANDIDATE,
    USERNAME,
    XOR_MAPPED_ADDRESS,
    StunMessage,
    is_authentic,
    read_xor_address,
)

PASSWORD = "passwordpasswordpassword"
PEER, OTHER = ("192.0.2.7", 4000), ("192.0.2.8", 4002)
TRANSACTION = bytes(range(12))


def agent() -> IceLite:
    return IceLite("ours", PASSWORD, "them")


def check(*more, username=b"ours:them", kind=BINDING_REQUEST, key=PASSWORD) -> bytes:
    basic = ((USERNAME, username), (PRIORITY, bytes(4)), (ICE_CONTROLLING, bytes(8)))
    return StunMessage(kind, TRANSACTION, (*basic, *more)).to_bytes(key.encode())


def read(answer: bytes | None) -> StunMessage:
    assert answer is not None
    assert is_authentic(answer, PASSWORD.encode())
    return StunMessage.parse(answer)


def test_a_check_is_answered_with_where_it_came_from():
    ice = agent()
    assert (ice.remote, ice.admits(PEER)) == (None, False)
    answer = read(ice.receive(check(), PEER))
    assert (answer.kind, answer.transaction) == (BINDING_SUCCESS, TRANSACTION)
    seen = answer.get(XOR_MAPPED_ADDRESS)
    assert seen is not None
    assert read_xor_address(seen, TRANSACTION) == PEER
    assert (ice.remote, ice.admits(PEER), ice.admits(OTHER)) == (PEER, True, False)
    assert ice.dropped == {}


def test_the_peer_nominates():
    ice = agent()
    ice.receive(check(), PEER)
    ice.receive(check(), OTHER)
    assert ice.remote == PEER
    ice.receive(check((USE_CANDIDATE, b"")), OTHER)
    assert ice.remote == OTHER


def test_nobody_else_gets_an_answer():
    ice = agent()
    for datagram in (
        check(key="wrong"),
        check(username=b"ours:another"),
        check(username=b"other:them"),
        StunMessage(BINDING_REQUEST, TRANSACTION).to_bytes(PASSWORD.encode()),
    ):
        assert ice.receive(datagram, OTHER) is None
    assert ice.receive(check()[:-1], OTHER) is None
    assert ice.receive(check(kind=BINDING_SUCCESS), OTHER) is None
    assert ice.receive(check(kind=BINDING_INDICATION), OTHER) is None
    assert ice.dropped == {"stun_forged": 4, "stun_malformed": 1, "stun_unasked": 1}
    assert ice.remote is None


def test_what_must_be_understood_is_refused():
    answer = read(agent().receive(check((0x7777, b"")), PEER))
    assert answer.kind == BINDING_ERROR
    assert answer.get(UNKNOWN_ATTRIBUTES) == b"\x77\x77"


def test_we_never_control():
    ice = agent()
    answer = read(ice.receive(check((ICE_CONTROLLED, bytes(8))), PEER))
    assert (answer.get(ERROR_CODE) or b"")[2:4] == b"\x04\x57"
    assert ice.remote is None


def test_sources_are_few_and_the_nominated_one_stays():
    ice = agent()
    ice.receive(check((USE_CANDIDATE, b"")), PEER)
    for port in range(3 * MOST_SOURCES):
        ice.receive(check(), ("192.0.2.9", 5000 + port))
    ice.receive(check(), PEER)
    known = [ice.admits(("192.0.2.9", 5000 + port)) for port in range(3 * MOST_SOURCES)]
    assert (ice.admits(PEER), sum(known)) == (True, MOST_SOURCES - 1)
    assert ice.remote == PEER
    assert len(ice.sources) == MOST_SOURCES
    assert PEER in ice.sources


@given(st.binary(max_size=120))
def test_noise_is_dropped(data):
    ice = agent()
    assert ice.receive(data, PEER) is None
    assert ice.remote is None


def test_a_check_is_known_by_whom_it_names():
    ice = IceLite("ours", "p" * 22, "them")
    named = StunMessage(BINDING_REQUEST, bytes(12), ((USERNAME, b"ours:them"),))
    other = StunMessage(BINDING_REQUEST, bytes(12), ((USERNAME, b"else:them"),))
    assert ice.knows(named.to_bytes(b"whatever"))
    assert not ice.knows(other.to_bytes(b"whatever"))
    assert not ice.knows(b"\x00garbage")
