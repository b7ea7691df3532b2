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
    reading = Reading(
        CONFIG / "opensip.toml", {"ALICE": "x", "TRUNK_PASSWORD": "x", "OPENAI_API_KEY": "x"}
    )
    table = uncommented()
    del table["trunks"]["example"]["users"]["alice"]["password"]
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
