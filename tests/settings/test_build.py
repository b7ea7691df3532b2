from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from opensip.carriers import Number, Trunk
from opensip.errors import ConfigError
from opensip.net.guarded_https import HttpsRules
from opensip.settings import build
from opensip.settings.schema import (
    AbuseTable,
    IdentityTable,
    ListenerTable,
    MediaTable,
    ServerTable,
    SipTable,
    TlsTable,
)
from opensip.sip.digest import Ha1

SERVER = ServerTable(
    sip=SipTable(
        listeners=(
            ListenerTable("UDP", 5060, host="127.0.0.1"),
            ListenerTable("TLS", 5061, public_address="203.0.113.5", profile="bandwidth"),
        )
    ),
    tls=TlsTable(Path("server.pem"), Path("server.key"), Path("ca.pem")),
)


def test_listeners_carry_tls_and_public_address():
    udp, tls = build.listeners(SERVER)
    assert (udp.transport, udp.host, udp.port, udp.public_address) == (
        *("UDP", "127.0.0.1"), 5060, None,
    )  # fmt: skip
    assert udp.tls is None
    assert tls.public_address == "203.0.113.5"
    assert (tls.tls.profile, tls.tls.certificate) == ("bandwidth", Path("server.pem"))


def test_listeners_show_each_trunk_its_own_tls():
    net = (ip_network("192.0.2.0/24"),)
    trunks = [
        Trunk("plain", networks=net),
        Trunk("mutual", networks=net, client_certificate=True, tls_name="c.example"),
        Trunk("wide", networks=net, tls="bandwidth", ca=Path("their.pem")),
    ]
    strict = replace(SERVER, sip=SipTable(listeners=(ListenerTable("TLS", 5061),)))
    [listener] = build.listeners(strict, trunks)
    mutual, wide = listener.by_source
    assert (mutual.tls.require_client_certificate, mutual.name) == (True, "c.example")
    assert (wide.tls.profile, wide.tls.ca, wide.name) == ("bandwidth", Path("their.pem"), "")


def test_udp_listeners_know_the_networks_of_trunks():
    one, two = ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")
    trunks = [Trunk("a", networks=(one,)), Trunk("b", networks=(two,))]
    udp, tls = build.listeners(SERVER, trunks)
    assert (udp.known, tls.known) == ((one, two), None)


def test_endpoint_config_carries_limits_and_name_servers():
    server = replace(
        SERVER, abuse=AbuseTable(answers=3, connections=4), sip=SipTable(name_servers=("::1",))
    )
    config = build.endpoint_config(server, ())
    assert (config.abuse.answers, config.connections.per_source) == (3, 4)
    assert config.name_servers == ("::1",)


def test_certificate_of_ours_towards_a_trunk():
    trunk = Trunk("t", certificate=Path("t.pem"), key=Path("t.key"), ca=Path("t-ca.pem"))
    tls = build.client_tls(SERVER, trunk)
    assert (tls.certificate, tls.key, tls.ca) == (Path("t.pem"), Path("t.key"), Path("t-ca.pem"))


def test_connections_of_ours_take_the_trunks_profile():
    assert build.client_tls(SERVER).profile == "strict"
    assert build.client_tls(SERVER, Trunk("bw", tls="bandwidth")).profile == "bandwidth"
    assert build.client_tls(SERVER).ca == Path("ca.pem")


def test_admission_of_a_trunk():
    trunk = Trunk(
        "office",
        country="DE",
        networks=(ip_network("192.0.2.0/24"),),
        users={"u": Ha1("a", "b")},
        any=True,
        numbers={"+4921154591991": Number("echo"), "*": Number("echo")},
    )
    admission = build.admission(trunk)
    assert admission.numbers == ("+4921154591991",)
    assert (admission.any, admission.trusted, admission.users) == (True, True, trunk.users)
    assert admission.normalise("0211 54591991") == "+4921154591991"


def test_the_outward_address():
    assert build.outward_address("127.0.0.1") == "127.0.0.1"
    with pytest.raises(ConfigError, match="no address of this machine reaches"):
        build.outward_address("255.255.255.255")
    with pytest.raises(ConfigError, match=r"x\.\.invalid has no address"):
        build.outward_address("x..invalid")
    try:
        assert build.outward_address("::1") == "::1"
    except ConfigError:
        pytest.skip("no IPv6 on this machine")


def test_the_bounds_of_fetching():
    net = (ip_network("10.0.0.0/8"),)
    table = IdentityTable(ports=(443,), networks=net, ca=Path("sti.pem"))
    assert build.https_rules(table) == HttpsRules((443,), net, Path("sti.pem"))
    assert build.https_rules(IdentityTable()) == HttpsRules()


def test_the_engine_in_use_is_told_with_its_reason():
    python = ServerTable(media=MediaTable(engine="python"))
    assert build.engine_in_use(python) == "python (as configured)"
