import pytest

from opensip.errors import NegotiationError
from opensip.sdp.places import check_not_ours, check_place

OURS, LOOPBACK, LINK = ("192.0.2.9", "10.0.0.9"), ("203.0.113.5", "127.0.0.1"), ("fe80::9",) * 2


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("224.2.3.4", "multicast"),
        ("ff02::1", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("240.0.0.1", "reserved"),
        ("0.0.0.1", "reserved"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:192.0.2.1", "reserved"),
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("169.254.0.7", "link-local"),
        ("fe80::1", "link-local"),
    ],
)
def test_what_is_no_place_for_media(address, kind):
    with pytest.raises(NegotiationError, match=f"a {kind} address") as caught:
        check_place(address, ours=OURS)
    assert caught.value.warning_code == (330 if kind == "multicast" else 399)


def test_where_a_peer_may_be():
    for address in ("192.0.2.1", "10.1.2.3", "2001:db8::1", "fd00::1", "64:ff9b::c000:201"):
        check_place(address, ours=OURS)
    check_place("127.0.0.2", ours=LOOPBACK)
    check_place("fe80::1", ours=LINK)
    with pytest.raises(NegotiationError, match="link-local"):
        check_place("fe80::1", ours=LOOPBACK)


def test_our_own_ports_are_nobody_elses():
    for port in (20000, 20001):
        with pytest.raises(NegotiationError, match="which is ours"):
            check_not_ours(("192.0.2.9", port), address="192.0.2.9", port=20000)
    check_not_ours(("192.0.2.9", 20002), address="192.0.2.9", port=20000)
    check_not_ours(("192.0.2.8", 20000), address="192.0.2.9", port=20000)
