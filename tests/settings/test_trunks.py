from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from opensip.audio import codecs
from opensip.media import agreement
from opensip.settings.schema import NumberTable, OutboundTable, TrunkTable, UserTable
from opensip.settings.secrets import Secret
from opensip.settings.trunks import make_trunk, mistakes, warnings
from opensip.sip.digest import Ha1

OFFICE = (ip_network("192.0.2.0/24"),)


def test_what_is_left_out_follows_the_carrier():
    trunk = make_trunk("bw", TrunkTable(carrier="bandwidth", networks=OFFICE), realm="opensip")
    assert (trunk.srtp, trunk.tls, trunk.profile) == ("required", "bandwidth", "bandwidth")
    own = TrunkTable(carrier="bandwidth", networks=OFFICE, srtp="off", codecs=("PCMA",))
    trunk = make_trunk("bw", own, realm="opensip")
    assert (trunk.srtp, trunk.codecs) == ("off", ("PCMA",))


def test_digits_go_as_the_trunk_says():
    table = TrunkTable(networks=OFFICE, dtmf="info", hear_tones=True)
    trunk = make_trunk("office", table, realm="opensip")
    assert (trunk.dtmf, trunk.hear_tones) == ("info", True)


def test_whether_a_peer_may_be_asked_for_another_codec():
    for asked in (True, False):
        table = TrunkTable(networks=OFFICE, change_codec=asked)
        assert make_trunk("office", table, realm="opensip").change_codec == asked
    assert make_trunk("office", TrunkTable(networks=OFFICE), realm="opensip").change_codec


def test_a_codec_without_its_package_names_the_extra(monkeypatch):
    monkeypatch.setattr(codecs.importlib.util, "find_spec", lambda name: None)
    [(key, told)] = mistakes(TrunkTable(networks=OFFICE, codecs=("opus", "PCMU")), ())
    assert key == "codecs"
    assert told.endswith("install opensip-agent[codecs]")


def test_users_by_hash_and_by_password():
    users = {"alice": UserTable(md5="a", sha256="b"), "bob": UserTable(password=Secret("pw"))}
    trunk = make_trunk("office", TrunkTable(users=users), realm="office.example")
    assert trunk.users == {"alice": Ha1("a", "b"), "bob": Ha1.of("bob", "office.example", "pw")}


def test_numbers_are_brought_to_one_form():
    numbers = {"919-555-1234": "a", "echo": "b", "*": NumberTable("c", recording="on", consent="x")}
    trunk = make_trunk("office", TrunkTable(networks=OFFICE, numbers=numbers), realm="opensip")
    assert trunk.numbers.keys() == {"+19195551234", "echo", "*"}
    assert trunk.route("anything").recording is True
    assert trunk.route("anything").consent == "x"
    assert trunk.route("echo").recording is False


def test_the_way_out():
    outbound = OutboundTable(
        termination="sip:sbc.example.com:5061;transport=tls",
        username="u",
        password=Secret("pw"),
        realms=("sbc.example.com",),
        caller_ids=("9195551234",),
    )
    trunk = make_trunk("office", TrunkTable(outbound=outbound), realm="opensip")
    assert (trunk.termination, trunk.username, trunk.password) == (outbound.termination, "u", "pw")
    assert trunk.caller_ids == ("+19195551234",)
    assert "pw" not in repr(trunk)
    assert list(warnings(trunk, tls_listener=False)) == []


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (TrunkTable(), ("", "admits nobody and reaches nobody: set networks, users or outbound")),
        (
            TrunkTable(networks=OFFICE, transfer=("refr",)),
            ("transfer", "no strategy 'refr'; did you mean 'refer'?"),
        ),
        (
            TrunkTable(networks=OFFICE, codecs=("PCMU", "PCMU")),
            ("codecs", "names 'PCMU' more than once"),
        ),
        (
            TrunkTable(users={"alice": UserTable(password=Secret("pw"))}, digest=()),
            ("digest", "names no algorithm, so that no user can answer: SHA-256, MD5 or both"),
        ),
        (
            TrunkTable(networks=OFFICE, identity="enforce"),
            (
                "identity",
                "'enforce' turns every call away without roots: set [identity] anchors",
            ),
        ),
        (
            TrunkTable(networks=OFFICE, emergency_redirect="tel:911"),
            ("emergency_redirect", "'tel:911' is no sip: or sips: URI"),
        ),
        (
            TrunkTable(networks=OFFICE, numbers={"1": NumberTable("ech")}),
            ("numbers.1", "no agent 'ech'; did you mean 'echo'?"),
        ),
        (
            TrunkTable(networks=OFFICE, numbers={"+15553334444": "echo", "555-333-4444": "echo"}),
            ("numbers.555-333-4444", "is +15553334444, as '+15553334444' is: keep one of them"),
        ),
        (
            TrunkTable(networks=OFFICE, numbers={"911": "echo", "*": "echo"}),
            ("numbers.911", "is an emergency number, which no agent may answer: take it out"),
        ),
        (
            TrunkTable(outbound=OutboundTable("sip:sbc.example.com", username="u")),
            (
                "outbound.password",
                "is missing, with which 'u' answers challenges: env:NAME or file:PATH",
            ),
        ),
        (
            TrunkTable(outbound=OutboundTable("sip:sbc.example.com", caller_ids=("9,911",))),
            ("outbound.caller_ids", "'9,911' is an emergency number: nobody may show it"),
        ),
        (
            TrunkTable(outbound=OutboundTable("sip:sbc.example.com", key=Path("x.key"))),
            ("outbound.key", "is of no use without outbound.certificate"),
        ),
    ],
)
def test_mistakes_beyond_types(table, told):
    assert list(mistakes(table, ["echo"])) == [told]


@pytest.mark.parametrize("key", ["certificate", "ca"])
def test_files_of_a_trunk_are_read(tmp_path, key):
    outbound = OutboundTable("sip:sbc.example.com", **{key: tmp_path / "no.pem"})
    [(where, told)] = mistakes(TrunkTable(outbound=outbound), ["echo"])
    assert where == "outbound"
    assert "no.pem" in told
    assert "scripts/certs makes one" in told


def test_a_trunk_that_lets_everybody_in_is_warned_of():
    everywhere = (ip_network("0.0.0.0/0"),)
    trunk = make_trunk("x", TrunkTable(networks=everywhere, srtp="off"), realm="opensip")
    [warning] = warnings(trunk, tls_listener=False)
    assert "its networks hold every address" in warning
    users = {"alice": UserTable(password=Secret("pw"))}
    table = TrunkTable(networks=everywhere, users=users, srtp="off")
    assert list(warnings(make_trunk("x", table, realm="opensip"), tls_listener=False)) == []


def test_a_termination_that_is_no_uri():
    [(key, told)] = mistakes(TrunkTable(outbound=OutboundTable("sbc.example.com")), ["echo"])
    assert key == "outbound.termination"
    assert "is no SIP URI" in told


def test_dtls_needs_srtp_and_its_extra(monkeypatch):
    table = TrunkTable(networks=(ip_network("192.0.2.0/24"),), keying="dtls", srtp="off")
    [(key, told)] = mistakes(table, {})
    assert (key, told) == (
        "keying",
        "'dtls' is of no use while srtp = 'off': take one of both out",
    )

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(agreement.importlib, "import_module", missing)
    [(key, told)] = mistakes(replace(table, srtp="required"), {})
    assert key == "keying"
    assert "opensip-agent[webrtc]" in told


def test_fingerprints_in_the_clear_are_warned_of():
    table = TrunkTable(networks=(ip_network("192.0.2.0/24"),), keying="dtls")
    trunk = make_trunk("t", table, realm="r")
    assert trunk.keying == "dtls"
    [told] = warnings(trunk, tls_listener=False)
    assert "can change the fingerprints that DTLS trusts" in told


def test_srtp_off_needs_no_warning():
    trunk = make_trunk("x", TrunkTable(networks=OFFICE, srtp="off"), realm="opensip")
    assert list(warnings(trunk, tls_listener=False)) == []


def test_the_policy_for_signed_numbers():
    table = TrunkTable(networks=OFFICE, identity="prefer")
    trunk = make_trunk("office", table, realm="opensip")
    assert trunk.identity == "prefer"
    [warning] = warnings(trunk, tls_listener=True)
    assert "trunk office: identity = 'prefer'" in warning
    assert list(warnings(trunk, tls_listener=True, anchored=True)) == []
    enforce = TrunkTable(networks=OFFICE, identity="enforce")
    assert list(mistakes(enforce, {"echo"}, anchored=True)) == []


@pytest.mark.parametrize(
    ("keys", "numbers", "told"),
    [
        ({"recording_form": "flac"}, {}, ["recording_form = 'flac'"]),
        ({"consent": "We record."}, {"*": "echo"}, ["t: consent is never spoken"]),
        ({"recording": "on", "recording_form": "flac", "consent": "We record."}, {}, []),
        ({"consent": "We record."}, {"*": NumberTable("echo", recording="on")}, []),
        ({}, {"*": NumberTable("echo", consent="We record.")}, ["numbers.*: consent is never"]),
        (
            {"recording": "on"},
            {"*": NumberTable("echo", recording="off", consent="We record.")},
            ["numbers.*: consent is never"],
        ),
    ],
)
def test_words_about_recordings_where_there_are_none_are_warned_of(keys, numbers, told):
    table = TrunkTable(networks=OFFICE, srtp="off", numbers=numbers, **keys)
    warned = list(warnings(make_trunk("t", table, realm="opensip"), tls_listener=False))
    assert [part in line for part, line in zip(told, warned, strict=True)] == [True] * len(told)
