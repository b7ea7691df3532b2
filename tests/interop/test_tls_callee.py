"""TLS of those whom opensip calls, peers of Python's ssl: who is refused and why, suites."""

import contextlib
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from tests.fakes.certificates import Authority, Pair
from tests.fakes.tls_suites import RSA_SUITES, limited, versions
from tests.interop.raw_peer import Message
from tests.interop.server import opensip

pytestmark = pytest.mark.interop

# what `opensip dial` and `opensip ping` said, and the suites that their peer saw
Told = tuple["subprocess.CompletedProcess[str]", "subprocess.CompletedProcess[str]", list[str]]


class Callee:
    """Shakes hands as `context` says, and is busy; keeps the suites that were agreed."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.suites: list[str] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with contextlib.suppress(OSError):  # closed at the end
            while True:
                connection, _ = self._listener.accept()
                with contextlib.suppress(OSError), connection:
                    self._answer(self._context.wrap_socket(connection, server_side=True))

    def _answer(self, connection: ssl.SSLSocket) -> None:
        with connection:
            while data := connection.recv(65536):
                self.suites.append((connection.cipher() or ("",))[0])
                request = Message.parse(data)
                if request.method in ("INVITE", "OPTIONS"):
                    connection.sendall(refusal_of(request).encode())

    def close(self) -> None:
        self._listener.close()


def refusal_of(request: Message) -> str:
    copied = "".join(
        f"{name}: {value}{';tag=t' if name == 'To' else ''}\r\n"
        for name, value in request.headers
        if name in {"Via", "From", "To", "Call-ID", "CSeq"}
    )
    return f"SIP/2.0 486 Busy Here\r\n{copied}Content-Length: 0\r\n\r\n"


def listening(pair: Pair, *, demands: Authority | None = None) -> ssl.SSLContext:
    """Make a server's context that shows `pair`, and may demand a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    if demands is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(demands.ca)
    return context


OUTBOUND = """\
data = "{folder}/data"
agent_files = []
trunk_files = []
[tls]
ca = "{ca}"
[media]
address = "127.0.0.1"
[trunks.carrier]
srtp = "off"
tls = "{profile}"
[trunks.carrier.outbound]
termination = "sip:127.0.0.1:{port};transport=tls"
caller_ids = ["+15550001111"]
{more}
"""


def dial(
    folder: Path, authority: Authority, context: ssl.SSLContext,
    *, profile: str = "strict", more: str = "",
) -> Told:  # fmt: skip
    """Call a peer of that context; return what dial and ping say, and the suites agreed."""
    callee, config = Callee(context), folder / "opensip.toml"
    config.write_text(
        OUTBOUND.format(
            folder=folder, ca=authority.ca, port=callee.port, profile=profile, more=more
        )
    )
    with contextlib.closing(callee):
        command = ["dial", "+19195551234", "--trunk", "carrier", "--agent", "tone"]
        dialled = opensip(*command, "--config", str(config), seconds=40)
        suites = callee.suites.copy()
        pinged = opensip("ping", "carrier", "--config", str(config), seconds=40)
    return dialled, pinged, suites


@pytest.mark.parametrize(
    ("names", "expired", "why"),
    [
        (("127.0.0.1",), True, "the certificate has expired"),
        (("other.example",), False, "wrong name: the certificate is made out to other.example"),
    ],
)
def test_a_callee_is_refused_with_the_reason(
    folder: Path, authority: Authority, names: tuple[str, ...], expired: bool, why: str
) -> None:
    context = listening(authority.sign(*names, expired=expired))
    check_refused(dial(folder, authority, context), why)


def test_a_callee_of_an_unknown_authority_is_refused(folder: Path, authority: Authority) -> None:
    foreign = Authority(folder, "somebody else's authority")
    context = listening(foreign.sign("127.0.0.1"))
    check_refused(dial(folder, authority, context), "unknown CA")


@versions
def test_a_callee_that_misses_our_certificate(
    folder: Path, authority: Authority, version: ssl.TLSVersion
) -> None:
    context = listening(authority.sign("127.0.0.1"), demands=authority)
    context.maximum_version = version
    check_refused(dial(folder, authority, context), "missing client certificate")
    ours = authority.sign("opensip.example")
    more = f'certificate = "{ours.certificate}"\nkey = "{ours.key}"'
    dialled, _, suites = dial(folder, authority, context, more=more)
    assert dialled.stdout.startswith("busy (486)"), dialled.stderr
    assert suites


def check_refused(told: Told, why: str) -> None:
    """No message may go out; dial says why or logs it, ping says why."""
    dialled, pinged, suites = told
    assert (dialled.returncode, pinged.returncode) == (1, 1)
    assert dialled.stdout.startswith("unreachable")
    assert why in dialled.stdout + dialled.stderr
    assert why in pinged.stdout
    assert suites == []


@pytest.mark.parametrize(
    "suite", [RSA_SUITES[0], *(pytest.param(s, marks=pytest.mark.long) for s in RSA_SUITES[1:])]
)
def test_rsa_key_exchange_is_offered_to_its_trunk_alone(
    folder: Path, authority: Authority, suite: str
) -> None:
    context = limited(listening(authority.sign("127.0.0.1", rsa_key=True)), suite)
    dialled, _, suites = dial(folder, authority, context, profile="bandwidth")
    assert dialled.stdout.startswith("busy (486)"), dialled.stderr
    assert suites[0] == suite
    told = dial(folder, authority, context)
    check_refused(told, "no cipher suite in common")
    assert 'tls = "bandwidth"' in told[1].stdout
