import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from opensip.cli import main

CONFIG = """
data = "data"
[[sip.listeners]]
transport = "UDP"
host = "127.0.0.1"
port = 0
[log]
form = "json"
"""


def test_a_mistake_is_told_and_nothing_starts(tmp_path):
    (tmp_path / "opensip.toml").write_text("wrong = 1")
    result = CliRunner().invoke(main, ["serve", "--config", str(tmp_path / "opensip.toml")])
    assert result.exit_code == 1
    assert "wrong: unknown key" in result.stderr


@pytest.mark.e2e
def test_sigterm_ends_it_with_status_0(tmp_path):
    file = tmp_path / "opensip.toml"
    file.write_text(CONFIG)
    words = [sys.executable, "-m", "opensip", "serve", "--config", str(file)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as server:
        assert any("server_started" in line for line in server.stderr)
        checked = CliRunner().invoke(main, ["check", "--live", "--config", str(file)])
        server.send_signal(signal.SIGTERM)
        last = server.stderr.read().splitlines()[-1]
    assert checked.exit_code == 0
    assert "state          serving" in checked.stdout
    assert server.returncode == 0
    assert '"event": "server_stopped"' in last
