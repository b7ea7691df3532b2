from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from opensip.settings.secrets import Secret
from opensip.settings.table import Reading, below, names_doubtful, nearest, read


@dataclass(frozen=True, slots=True)
class Inner:
    port: int
    host: str = "localhost"


def odd_is_wrong(value):
    if value % 2:
        raise ValueError(f"{value} is odd: halve it")


def none_is_wrong(value):
    if not value:
        raise ValueError("name one")


@dataclass(frozen=True, slots=True)
class Outer:
    name: str
    kind: Literal["a", "b"] = "a"
    share: float = 0.5
    on: bool = False
    file: Path | None = None
    secret: Secret | None = None
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    inner: Inner | None = None
    listed: tuple[Inner, ...] = ()
    named: Mapping[str, str | Inner] = field(default_factory=dict)
    free: Any = None
    even: Annotated[tuple[Annotated[int, odd_is_wrong], ...], none_is_wrong] | None = None

    def __post_init__(self) -> None:
        if self.name == "forbidden":
            raise ValueError("this name is forbidden")


def reading():
    return Reading(Path("/etc/opensip/x.toml"), environ={"PW": "s3cret"})


def test_everything_that_a_room_can_ask_for():
    table = {
        "name": "n",
        "kind": "b",
        "share": 1,
        "on": True,
        "file": "certs/x.pem",
        "secret": "env:PW",
        "networks": ["192.0.2.0/24", "2001:db8::/32"],
        "inner": {"port": 1},
        "listed": [{"port": 2, "host": "h"}],
        "named": {"x": "text", "y": {"port": 3}},
        "free": {"any": ["thing"]},
        "even": [2, 4],
    }
    assert read(Outer, table, reading()) == Outer(
        name="n",
        kind="b",
        share=1.0,
        on=True,
        file=Path("/etc/opensip/certs/x.pem"),
        secret=Secret("s3cret"),
        networks=(ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")),
        inner=Inner(1),
        listed=(Inner(2, "h"),),
        named={"x": "text", "y": Inner(3)},
        free={"any": ["thing"]},
        even=(2, 4),
    )


def test_defaults_are_the_rooms_own():
    assert read(Outer, {"name": "n"}, reading()) == Outer("n")


@pytest.mark.parametrize(
    ("table", "mistake"),
    [
        ({}, "name: is missing"),
        ({"name": 1}, "name: a text in quotes is wanted, not 1"),
        ({"name": "n", "knd": "a"}, "knd: unknown key; did you mean 'kind'?"),
        ({"name": "n", "kind": "c"}, "kind: 'c' is not one of 'a', 'b'"),
        ({"name": "n", "on": 1}, "on: true or false is wanted, not 1"),
        ({"name": "n", "share": "1"}, "share: a number is wanted, not '1'"),
        ({"name": "n", "inner": {"port": True}}, "inner.port: a whole number is wanted, not True"),
        ({"name": "n", "inner": 5}, "inner: a table is wanted here, not 5"),
        ({"name": "n", "inner": {"port": 1, "hst": ""}}, "inner.hst: unknown key; did you mean"),
        ({"name": "n", "listed": {}}, "listed: a list in square brackets is wanted, not {}"),
        ({"name": "n", "listed": [{}]}, "listed[0].port: is missing"),
        ({"name": "n", "named": []}, "named: a table is wanted here, not []"),
        ({"name": "n", "named": {"x": 1}}, "named.x: a text in quotes is wanted, not 1"),
        ({"name": "n", "networks": ["x"]}, "networks[0]: no network such as 192.0.2.0/24"),
        ({"name": "n", "networks": [1]}, "networks[0]: no network such as 192.0.2.0/24"),
        ({"name": "n", "secret": "hunter2"}, "secret: a secret is written env:NAME or file:PATH"),
        ({"name": "n", "secret": 1}, "secret: env:NAME or file:PATH is wanted"),
        ({"name": "n", "even": [2, 3]}, "even[1]: 3 is odd: halve it"),
        ({"name": "n", "even": []}, "even: name one"),
        ({"name": "n", "even": ["2"]}, "even[0]: a whole number is wanted, not '2'"),
        ({"name": "forbidden"}, "this name is forbidden"),
    ],
)
def test_a_mistake_names_file_key_and_remedy(table, mistake):
    attempt = reading()
    assert read(Outer, table, attempt) is None
    [line] = attempt.mistakes
    assert line.startswith("/etc/opensip/x.toml: ")
    assert mistake in line
    assert "hunter2" not in line


def test_every_mistake_is_told_at_once():
    attempt = reading()
    table = {"nam": "n", "kind": 1, "listed": [{"port": "1"}, {"port": "2"}], "inner": {}}
    assert read(Outer, table, attempt) is None
    keys = {line.split(": ")[1] for line in attempt.mistakes}
    assert keys == {"nam", "name", "kind", "listed[0].port", "listed[1].port", "inner.port"}


def test_nothing_near():
    assert nearest("zzz", ["b", "a"]) == "; known are a, b"


def test_the_nearest_may_be_written_in_other_letters():
    assert nearest("OPUS", ["PCMU", "PCMA", "G722", "opus"]) == "; did you mean 'opus'?"


def test_a_check_that_names_a_key_in_doubt_is_not_told():
    assert names_doubtful("first_port 5 is above", {"media.first_port"})
    assert names_doubtful("set networks", {"networks[0]"})
    assert not names_doubtful("0 of it", {"networks[0]"})
    assert below("trunks.t", {"trunks.t.srtp", "trunks.two.any", "trunks.t"}) == {"srtp"}


def test_what_a_wrong_part_was_left_out_of_is_not_told_to_lack_it():
    attempt = Reading(Path("/etc/opensip/x.toml"), {}, lenient=True)
    read(Outer, {"name": "n", "even": ["2"]}, attempt)
    assert [line.split(": ")[1] for line in attempt.mistakes] == ["even[0]"]
