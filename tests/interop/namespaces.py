"""Hosts of our own on one machine: network namespaces with loss or address translation."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

INSIDE, OUTSIDE, PUBLIC = "10.77.0.2", "10.78.0.2", "10.78.0.100"

needs_namespaces = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("nft") is None,
    reason="needs root, ip and nft to make network namespaces",
)


def run(*command: str, stdin: str | None = None) -> None:
    """Run a command that must succeed."""
    done = subprocess.run(command, input=stdin, text=True, capture_output=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"


def within(name: str, command: Sequence[str]) -> list[str]:
    """Tell the command that runs `command` on the host `name`."""
    return ["ip", "netns", "exec", name, *command]


@contextmanager
def hosts(*names: str) -> Iterator[None]:
    """Make the hosts, each with its loopback up, and take them away again."""
    for name in names:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "link", "set", "lo", "up")
    try:
        yield
    finally:
        for name in names:
            run("ip", "netns", "del", name)


@contextmanager
def lossy_host(name: str, *, per_mille: int) -> Iterator[None]:
    """Make a host whose loopback loses UDP at random, on the input hook (output gives EPERM)."""
    with hosts(name):
        rule = f"meta l4proto udp numgen random mod 1000 < {per_mille} counter drop"
        rules = f"""
            table ip loss {{
              chain inp {{ type filter hook input priority 0; policy accept; {rule} ; }}
            }}
        """
        run(*within(name, ["nft", "-f", "-"]), stdin=rules)
        yield


@contextmanager
def translated_hosts(inside: str, router: str, outside: str) -> Iterator[None]:
    """Make a host INSIDE that the host OUTSIDE sees, one to one, at the address PUBLIC."""
    with hosts(inside, router, outside):
        _cable((inside, "v0", INSIDE), (router, "r0", "10.77.0.1"))
        _cable((outside, "v0", OUTSIDE), (router, "r1", "10.78.0.1"))
        run("ip", "-n", router, "addr", "add", f"{PUBLIC}/24", "dev", "r1")
        run("ip", "-n", inside, "route", "add", "default", "via", "10.77.0.1")
        run(*within(router, ["sysctl", "-qw", "net.ipv4.ip_forward=1"]))
        rules = f"""
            table ip nat {{
              chain pre {{
                type nat hook prerouting priority -100; ip daddr {PUBLIC} dnat to {INSIDE};
              }}
              chain post {{
                type nat hook postrouting priority 100; ip saddr {INSIDE} snat to {PUBLIC};
              }}
            }}
        """
        run(*within(router, ["nft", "-f", "-"]), stdin=rules)
        yield


def _cable(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    """Join two hosts, each a name, a device and an address, by a cable."""
    end, peer = [*one[:2]], [*other[:2]]
    run("ip", "-n", end[0], "link", "add", end[1], "type", "veth",
        "peer", "name", peer[1], "netns", peer[0])  # fmt: skip
    for host, device, address in (one, other):
        run("ip", "-n", host, "addr", "add", f"{address}/24", "dev", device)
        run("ip", "-n", host, "link", "set", device, "up")
