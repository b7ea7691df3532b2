"""`opensip trunk`: write the file of a trunk and what to paste at its carrier; list trunks."""

import json
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from opensip.carriers import CARRIERS, Trunk
from opensip.carriers.bandwidth import markup
from opensip.cli.check import data_of
from opensip.cli.hash_password import user_table
from opensip.errors import ConfigError
from opensip.server.control import ask
from opensip.settings.load import load, parse
from opensip.settings.schema import ServerTable
from opensip.settings.table import Mistakes, Reading, read
from opensip.sip.digest import Ha1

EXAMPLE = "# An example"  # how the file begins that comes with opensip
CONFIG = click.option(
    "--config", "config", type=click.Path(path_type=Path), default=Path("config/opensip.toml"),
    show_default=True, help="The server's configuration.",
)  # fmt: skip


@click.group("trunk")
def command() -> None:
    """Add a trunk, list the trunks there are, or look how they stand.

    Example: opensip trunk add bandwidth --host sip.us.example.com --number +15553334444
    """


@dataclass(frozen=True, slots=True)
class NewTrunk:
    """What a new trunk is made of."""

    name: str
    host: str
    port: int
    numbers: tuple[str, ...]
    networks: tuple[str, ...]
    agent: str
    user: str


@command.command("add")
@click.argument("carrier", type=click.Choice(["bandwidth"]))
@click.option("--host", required=True, help="Our SIP host name, as in our certificate.")
@click.option(
    "--number", "numbers", multiple=True, required=True, help="A number, +1…; repeatable."
)
@click.option("--network", "networks", multiple=True, help="Address of an SBC, CIDR; repeatable.")
@click.option("--agent", default="shop", show_default=True, help="Who answers.")
@click.option("--name", default="bandwidth", show_default=True, help="Name of trunk and file.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@CONFIG
def add(
    *, carrier: str, host: str, numbers: tuple[str, ...], networks: tuple[str, ...], agent: str,
    name: str, force: bool, config: Path,
) -> None:  # fmt: skip
    """Write the trunk's file, make user and password, print what to paste at the carrier.

    Example: opensip trunk add bandwidth --host sip.us.example.com --number +15553334444
    --network 192.0.2.10/32
    """
    reading = Reading(config)
    server = read(ServerTable, parse(reading), reading)
    if server is None:
        raise Mistakes(reading.mistakes)
    path = config.parent / "trunks" / f"{name}.toml"
    if path.exists() and not (force or _is_example(path)):
        raise ConfigError(f"{path} is there: choose another --name, or write over it with --force")
    new = NewTrunk(
        name, host, CARRIERS[carrier].port, numbers, networks, agent,
        user=f"{name}-{secrets.token_hex(3)}",
    )  # fmt: skip
    password = secrets.token_urlsafe(18)
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_private(path, trunk_file(new, Ha1.of(new.user, server.sip.realm, password)))
    click.echo(f"wrote {path}\n")
    click.echo(to_paste(new))
    click.echo(f"User      {new.user}\nPassword  {password}   (shown this once; its hash is kept)")
    if not networks:
        click.echo(
            "\nBandwidth's calls carry no password: put the addresses of its SBCs, as named to "
            f"you at onboarding, into networks of {path}.",
            err=True,
        )


@command.command("list")
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_trunks(config: Path, as_json: bool) -> None:
    """List the trunks of a configuration: where calls come from and lead to.

    Example: opensip trunk list --config config/opensip.toml
    """
    trunks = load(config).trunks
    if as_json:
        click.echo(json.dumps([_as_json(trunk) for trunk in trunks], indent=2))
        return
    for trunk in trunks:
        admitted = ", ".join([*map(str, trunk.networks), *trunk.users]) or "nobody"
        click.echo(f"{trunk.name} ({trunk.carrier}), srtp {trunk.srtp}, admits {admitted}")
        for number, entry in trunk.numbers.items():
            click.echo(f"  {number} -> {entry.agent}")


@command.command("status")
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(config: Path, as_json: bool) -> None:
    """Tell how the trunks of a running server stand: registration, answers to OPTIONS.

    Exit status 1 if one of them is not registered or does not answer.

    Example: opensip trunk status --config config/opensip.toml
    """
    trunks = ask(data_of(config))["trunks"]
    click.echo(json.dumps(trunks, indent=2) if as_json else "\n".join(map(in_words, trunks)))
    if any(is_broken(trunk) for trunk in trunks):
        sys.exit(1)


def in_words(trunk: dict[str, Any]) -> str:
    """Write the state of one trunk."""
    lines = [f"{trunk['name']} ({trunk['carrier']})"]
    if (known := trunk["registration"]) is not None:
        told = f"{known['state']}: {known['address']} at {known['registrar']}"
        told += f", {known['seconds_left']} s left" if known["state"] == "registered" else ""
        told += f", service route {', '.join(known['service_route'])}" * bool(
            known["service_route"]
        )
        lines.append(f"  registration  {told}" + (f": {known['why']}" if known["why"] else ""))
    if (probe := trunk["probe"]) is not None:
        took = f" in {probe['milliseconds']} ms" if probe["milliseconds"] is not None else ""
        lines.append(
            f"  options       {probe['state']}: {probe['said'] or 'not asked yet'}{took}, "
            f"{probe['seconds_ago']} s ago"
        )
    if len(lines) == 1:
        lines.append("  neither registered nor probed: see registrar and probe_seconds")
    return "\n".join(lines)


def is_broken(trunk: dict[str, Any]) -> bool:
    """Tell whether a trunk is not as it should be."""
    known, probe = trunk["registration"], trunk["probe"]
    return bool((known and known["state"] != "registered") or (probe and probe["state"] == "down"))


def _as_json(trunk: Trunk) -> dict[str, Any]:
    return {
        "name": trunk.name,
        "carrier": trunk.carrier,
        "networks": [str(network) for network in trunk.networks],
        "users": sorted(trunk.users),
        "srtp": trunk.srtp,
        "numbers": {number: entry.agent for number, entry in trunk.numbers.items()},
        "termination": trunk.termination,
    }


def trunk_file(new: NewTrunk, ha1: Ha1) -> str:
    """Write the trunk's TOML file."""
    networks = ", ".join(json.dumps(network) for network in new.networks)
    numbers = "\n".join(f"{json.dumps(number)} = {json.dumps(new.agent)}" for number in new.numbers)
    return f"""\
# Written by `opensip trunk add bandwidth`; config/opensip.toml explains every key.
carrier = "bandwidth"
country = "US"
networks = [{networks}]   # the SBCs that Bandwidth named to you
any = true                  # an SBC is known by its address, a phone by user and password
srtp = "required"
recording = "off"
transfer = "auto"

[numbers]
{numbers}

{user_table(new.user, ha1)}
# [outbound]                # for opensip dial
# termination = "sip:sbc.example.com:5061;transport=tls"
# username = ""
# password = "env:BANDWIDTH_SIP_PASSWORD"
# realms = []
# caller_ids = [{", ".join(json.dumps(number) for number in new.numbers)}]
"""


def _write_private(path: Path, text: str) -> None:
    """Write what only its owner may read: who has a user's hash can call as that user."""
    path.touch(mode=0o600)
    path.chmod(0o600)  # where it was there before
    path.write_text(text, encoding="utf-8")


def to_paste(new: NewTrunk) -> str:
    """Write what is pasted at Bandwidth, for the first number of the trunk."""
    uri = markup.sip_uri(new.numbers[0], new.host, new.port)
    return "\n".join(
        [
            f"SIP URI of {new.numbers[0]}:\n  {uri}\n",
            "BXML that forwards a call before it is answered ({…}: put the webhook's from there):",
            markup.forward(uri, from_="{from of the webhook}"),
            "BXML that transfers a call that was answered:",
            markup.transfer(uri),
            "Route of a Duet trunk:",
            markup.duet_route(f"sip:{new.host}:{new.port};transport=tls"),
        ]
    )


def _is_example(path: Path) -> bool:
    """Tell the file that comes with opensip, which nobody misses, from one of the operator's."""
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline().startswith(EXAMPLE)
