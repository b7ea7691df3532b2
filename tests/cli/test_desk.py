from click.testing import CliRunner

from opensip.cli import main


def test_a_network_that_is_none_is_wrong_usage():
    result = CliRunner().invoke(main, ["desk", "--network", "x"])
    assert result.exit_code == 2
    assert "--network" in result.stderr


def test_tls_needs_a_certificate():
    result = CliRunner().invoke(main, ["desk", "--port", "0", "--tls-port", "1"])
    assert result.exit_code == 1
    assert "needs a certificate" in result.stderr
