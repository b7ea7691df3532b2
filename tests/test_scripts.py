"""What the scripts say of themselves and of what they replace."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(script, *words):
    command = [ROOT / "scripts" / script, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("script", ["setup", "certs"])
def test_help_does_nothing_but_tell(script):
    told = run(script, "--help")
    assert told.returncode == 0
    assert len(told.stdout.splitlines()) >= 4
    assert not told.stderr


def test_setup_knows_no_other_option():
    told = run("setup", "--quick")
    assert (told.returncode, told.stdout) == (2, "")
    assert "no option --quick; see scripts/setup --help" in told.stderr


@pytest.mark.e2e
@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_a_certificate_that_lacks_a_host_is_replaced_and_kept_aside(tmp_path):
    where = ("--dir", str(tmp_path))
    assert not run("certs", *where, "a.example").stderr
    first = (tmp_path / "server.pem").read_bytes()
    assert "is good for" in run("certs", *where).stdout  # localhost is in every one
    assert (tmp_path / "server.pem").read_bytes() == first
    told = run("certs", *where, "b.example")
    assert "was for DNS:localhost,IP:127.0.0.1,DNS:a.example" in told.stderr
    assert "to have both, name all hosts at once" in told.stderr
    assert "wrote" in told.stdout
    assert (tmp_path / "server.pem.before").read_bytes() == first
    assert (tmp_path / "server.pem").read_bytes() != first
    assert "name all hosts" not in run("certs", *where, "b.example", "c.example").stderr
