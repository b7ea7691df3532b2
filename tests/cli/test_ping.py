import contextlib
import json
import socket
import ssl
import threading

import pytest
from click.testing import CliRunner

from opensip.cli import main
from opensip.cli.ping import in_words
from opensip.ua.ping import Step
from tests.fakes.certificates import authority, ec_pair

__all__ = ["authority", "ec_pair"]


@pytest.fixture
def answering():
    """A peer that answers one OPTIONS with 200; gives its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(5)

        def answer():
            data, source = peer.recvfrom(65536)
            kept = [
                line
                for line in data.split(b"\r\n")
                if line.split(b":")[0] in (b"Via", b"From", b"To", b"Call-ID", b"CSeq")
            ]
            head = b"\r\n".join([b"SIP/2.0 200 OK", *kept, b"Content-Length: 0"])
            peer.sendto(head + b"\r\n\r\n", source)

        thread = threading.Thread(target=answer)
        thread.start()
        yield peer.getsockname()[1]
        thread.join()


def ping(*words):
    return CliRunner().invoke(main, ["ping", *words])


def config(tmp_path, termination=""):
    path = tmp_path / "opensip.toml"
    outbound = f'[trunks.sbc.outbound]\ntermination = "{termination}"\n' if termination else ""
    path.write_text(f'agent_files = []\n[trunks.sbc]\nnetworks = ["192.0.2.1/32"]\n{outbound}')
    return str(path)


def test_a_trunk_by_its_name(answering, tmp_path):
    file = config(tmp_path, f"sip:trunk@127.0.0.1:{answering}")
    result = ping("sbc", "--config", file)
    assert result.exit_code == 0, result.output
    assert "ok    DNS" in result.output
    assert "ok    OPTIONS  200 OK from UDP 127.0.0.1" in result.output


def test_a_uri_for_programs(answering, tmp_path):
    result = ping(f"sip:127.0.0.1:{answering}", "--json", "--config", str(tmp_path / "none.toml"))
    assert result.exit_code == 0, result.output
    assert [json.loads(line)["name"] for line in result.stdout.splitlines()] == ["DNS", "OPTIONS"]


def test_failure_says_what_to_change(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        uri = f"sip:127.0.0.1:{taken.getsockname()[1]};transport=tcp"
        result = ping(uri, "--tls-name", "x", "--config", str(tmp_path / "none.toml"))
    assert result.exit_code == 1
    assert "FAIL  TCP" in result.stdout
    assert "-> nothing listens there" in result.stdout


@pytest.mark.parametrize(
    ("target", "words"),
    [("sbd", "did you mean 'sbc'"), ("sbc", "no outbound.termination"), ("sip:[", "no SIP URI")],
)
def test_what_cannot_be_pinged(tmp_path, target, words):
    result = ping(target, "--config", config(tmp_path))
    assert result.exit_code == 1
    assert words in result.stderr


def test_no_trunk_of_that_name_may_be_another_configuration(tmp_path):
    told = ping("sbd", "--config", config(tmp_path)).stderr
    assert f"no trunk 'sbd' in {tmp_path}/opensip.toml" in told
    assert "or another --config?" in told


@pytest.mark.e2e
def test_an_authority_may_be_named(tmp_path, authority, ec_pair):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ec_pair.certificate, ec_pair.key)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def shake():
            with contextlib.suppress(OSError):  # until the server is closed
                while True:
                    peer, _ = server.accept()
                    with contextlib.suppress(OSError), peer:
                        context.wrap_socket(peer, server_side=True).close()

        threading.Thread(target=shake, daemon=True).start()
        uri = f"sip:127.0.0.1:{server.getsockname()[1]};transport=tls"
        words = (uri, "--tls-name", "sip.example", "--config", str(tmp_path / "none.toml"))
        assert "not trusted; name its root: --ca FILE" in ping(*words).stdout
        assert "ok    TLS" in ping(*words, "--ca", str(authority.ca)).stdout
        server.shutdown(socket.SHUT_RDWR)


def test_words():
    assert in_words(Step("DNS", True, "all well")) == "ok    DNS      all well"
