import dataclasses
import re
import tomllib
import typing
from pathlib import Path

import pytest

from opensip.settings import schema
from opensip.settings.schema import ServerTable, TrunkTable
from opensip.settings.table import Reading, read

CONFIG = Path(__file__).parents[2] / "config"
COMMENTED = re.compile(r'^# ?(?=\[|"?[\w+*]+"? = )')
NOT_DEFAULT = {"data", "sip.listeners", "trunks", "tls"}  # shown by example


def uncommented():
    lines = (CONFIG / "opensip.toml").read_text().splitlines()
    return tomllib.loads("\n".join(COMMENTED.sub("", line) for line in lines))


def keys_of(hint, table, where=""):
    """Walk the schema beside the file's table: (dotted key, whether the file has it)."""
    for member in typing.get_args(hint) or (hint,):
        if dataclasses.is_dataclass(member):
            hints = typing.get_type_hints(member)
            for item in dataclasses.fields(member):
                key = f"{where}.{item.name}".lstrip(".")
                yield key, item.name in table
                if item.name in table:
                    yield from below(hints[item.name], table[item.name], key)


def below(hint, value, key):
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = {k: v for entry in value for k, v in entry.items()}  # any of the entries
        yield from keys_of(typing.get_args(hint)[0], value, key)
    elif isinstance(value, dict) and typing.get_origin(hint) is not None and "Mapping" in str(hint):
        inner = [entry for entry in value.values() if isinstance(entry, dict)]
        if inner:
            yield from keys_of(typing.get_args(hint)[1], inner[0], f"{key}.*")
    elif isinstance(value, dict):
        yield from keys_of(hint, value, key)


def test_opensip_toml_documents_every_key():
    missing = [key for key, there in keys_of(ServerTable, uncommented()) if not there]
    assert missing == []


def test_every_key_is_explained():
    lines = (CONFIG / "opensip.toml").read_text().splitlines()
    bare = [x for x in lines if re.match(r"^(# )?\w+ = ", x) and not re.search(r"\S {1,}# \S", x)]
    told_once_before = {"transport", "port", "host", "profile", "md5", "sha256", "key", "username"}
    told_once_before |= {"termination", "password"}
    assert {re.match(r"^(# )?(\w+)", line)[2] for line in bare} <= told_once_before


def test_no_key_is_there_that_the_server_does_not_know():
    secrets = dict.fromkeys(("ALICE", "TRUNK_PASSWORD", "OPENAI_API_KEY"), "x")
    secrets |= dict.fromkeys(("OPENSIP_RECORDING_KEY", "OPENSIP_OLD_KEY"), "ab" * 32)
    reading = Reading(CONFIG / "opensip.toml", secrets)
    table = uncommented()
    table["trunks"]["example"]["users"]["alice"] = {"md5": "0" * 32, "sha256": "0" * 64}
    read(ServerTable, table, reading)
    assert reading.mistakes == []


def _as_toml(value):
    return list(value) if isinstance(value, tuple) else value


def test_what_it_shows_are_the_defaults():
    table, default = uncommented(), ServerTable()
    for section in ("sip", "media", "calls", "abuse", "log"):
        shown = {k: v for k, v in table[section].items() if f"{section}.{k}" not in NOT_DEFAULT}
        expected = dataclasses.asdict(getattr(default, section))
        assert shown == {key: _as_toml(expected[key]) for key in shown}
    trunk = table["trunks"]["example"]
    for key in ("carrier", "country", "any", "trusted", "symmetric", "recording", "consent"):
        assert trunk[key] == TrunkTable.__dataclass_fields__[key].default
    for key in ("max_calls", "max_seconds", "first_timeout", "silence_timeout"):
        assert trunk[key] == TrunkTable.__dataclass_fields__[key].default


@pytest.mark.parametrize(("first", "last"), [(80, 90), (3000, 2000), (60000, 70000)])
def test_a_range_of_ports(first, last):
    with pytest.raises(ValueError, match="are no range within 1024 to 65535"):
        schema.MediaTable(first_port=first, last_port=last)


def test_a_user_needs_both_hashes():
    with pytest.raises(ValueError, match="opensip hash-password prints both"):
        schema.UserTable(md5="x")


@pytest.mark.parametrize("seconds", [0, 0.5, 3601])
def test_a_nonce_lives_a_second_at_least_and_an_hour_at_most(seconds):
    with pytest.raises(ValueError, match=r"nonce_seconds .*: from 1 to 3600 seconds"):
        schema.SipTable(nonce_seconds=seconds)


@pytest.mark.parametrize(
    ("ports", "told"), [((), "ports is empty"), ((443, 0), "0 is no port"), ((65536,), "no port")]
)
def test_ports_of_certificates_are_ports(ports, told):
    with pytest.raises(ValueError, match=told):
        schema.IdentityTable(ports=ports)


def refused(table, schema_type):
    """Read a table that has mistakes; gives them without the file's name."""
    reading = Reading(Path("x.toml"), {})
    assert read(schema_type, table, reading) is None
    return [line.removeprefix("x.toml: ") for line in reading.mistakes]


UDP = {"transport": "UDP", "port": 5060}


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"sip": {"listeners": [UDP | {"port": 99999}]}}, "sip.listeners[0].port: 99999"),
        ({"sip": {"listeners": [UDP | {"host": "sip.example"}]}}, "sip.listeners[0].host: 'sip.ex"),
        (
            {"sip": {"listeners": [UDP | {"public_address": "a b"}]}},
            "sip.listeners[0].public_address: 'a b'",
        ),
        (
            {"sip": {"listeners": [UDP | {"public_address": "sip.example.com"}]}},
            "media.public_address is missing: the public_address sip.example.com of sip.listeners",
        ),
        ({"sip": {"listeners": [UDP, UDP]}}, "sip: listeners: UDP 0.0.0.0:5060 is there twice"),
        ({"sip": {"user_agent": "a\r\nX: y"}}, "sip.user_agent: 'a\\r\\nX: y' cannot stand in"),
        ({"sip": {"realm": ""}}, "sip.realm: '' cannot stand in quotes"),
        ({"sip": {"blacklist_seconds": -1}}, "sip.blacklist_seconds: -1.0 is not from 0"),
        ({"media": {"address": "localhost"}}, "media.address: 'localhost' is no IP address"),
        ({"media": {"address": "224.0.0.1"}}, "media.address: 224.0.0.1 is of a group"),
        ({"media": {"public_address": "h"}}, "media.public_address: 'h' is no IP address"),
        ({"media": {"public_address": "0.0.0.0"}}, "media.public_address: nobody reaches us at"),
        ({"media": {"public_address": "ff02::1"}}, "media.public_address: nobody reaches us at"),
        (
            {"media": {"public_address": "2001:db8::1"}},
            "media: public_address 2001:db8::1 and address 0.0.0.0: one is IPv4, one IPv6",
        ),
        (
            {"media": {"first_port": 20001, "last_port": 20002}},
            "media: first_port 20001 to last_port 20002 hold",
        ),
        ({"calls": {"drain_seconds": -1.0}}, "calls.drain_seconds: -1.0 is not from 0 to 604800"),
        ({"calls": {"ring_timeout": float("inf")}}, "calls.ring_timeout: inf is not from 1"),
        ({"calls": {"max_calls": -1}}, "calls.max_calls: -1 is not from 0"),
        ({"abuse": {"messages_per_second": 0}}, "abuse.messages_per_second: 0.0 is not from 0.1"),
        ({"abuse": {"burst": 0}}, "abuse.burst: 0 is not from 1"),
        ({"abuse": {"connections": 0}}, "abuse.connections: 0 is not from 1"),
        ({"abuse": {"idle_seconds": 0}}, "abuse.idle_seconds: 0.0 is not from 0.1"),
    ],
)
def test_values_of_the_server_that_cannot_be(table, told):
    [line] = refused(table, ServerTable)
    assert line.startswith(told)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"codecs": ["G729"]}, "codecs[0]: no codec 'G729'; did you mean 'G722'?"),
        ({"codecs": []}, "codecs: is empty: name one at least, or leave the key out"),
        ({"country": "us"}, "country: 'us' is no country code of ISO 3166; did you mean 'US'?"),
        ({"country": "XX"}, "country: 'XX' is no country code"),
        ({"profile": "foo"}, "profile: 'foo' is not one of 'generic', 'bandwidth'"),
        ({"transfer": []}, "transfer: is empty"),
        ({"headers": ["X: y"]}, "headers[0]: 'X: y' is no name of a header"),
        ({"max_calls": -1}, "max_calls: -1 is not"),
        ({"max_seconds": -1}, "max_seconds: -1.0 is not from 1 to 604800 seconds"),
        ({"first_timeout": float("nan")}, "first_timeout: nan is not"),
        ({"silence_timeout": 0}, "silence_timeout: 0.0 is not"),
        ({"users": {"a": {"md5": "hunter2", "sha256": "0" * 64}}}, "users.a.md5: no hash of 32"),
        ({"users": {"a": {"md5": "0" * 32, "sha256": "0" * 32}}}, "users.a.sha256: no hash of 64"),
        (
            {"outbound": {"termination": "sip:a@b", "register_seconds": 0}},
            "outbound.register_seconds: 0.0",
        ),
    ],
)
def test_values_of_a_trunk_that_cannot_be(table, told):
    [line] = refused(table, TrunkTable)
    assert line.startswith(told)
    assert "hunter2" not in line


def test_a_master_key_that_is_none_is_told_without_it():
    reading = Reading(CONFIG / "opensip.toml", {"KEY": "not32bytes"})
    assert read(ServerTable, {"recording": {"key": "env:KEY"}}, reading) is None
    [mistake] = reading.mistakes
    assert "key: no master key: 32 random bytes" in mistake
    assert "openssl rand -hex 32" in mistake
    assert "not32bytes" not in mistake


def test_an_old_key_that_is_none_is_told_as_one():
    reading = Reading(CONFIG / "opensip.toml", {"KEY": "ab" * 32, "OLD": "short"})
    table = {"key": "env:KEY", "old_keys": ["env:OLD"]}
    assert read(ServerTable, {"recording": table}, reading) is None
    assert "old_keys: no master key" in reading.mistakes[0]


def test_old_keys_alone_are_told():
    reading = Reading(CONFIG / "opensip.toml", {"KEY": "ab" * 32})
    assert read(ServerTable, {"recording": {"old_keys": ["env:KEY"]}}, reading) is None
    assert "old_keys without a key" in reading.mistakes[0]
