"""Drives Debian's baresip as a foreign telephone, through its control socket."""

import contextlib
import json
import math
import random
import shutil
import socket
import struct
import subprocess
import time
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

needs_baresip = pytest.mark.skipif(
    shutil.which("baresip") is None, reason="baresip is not installed: run scripts/setup"
)

CONFIG = """\
poll_method epoll
net_interface 127.0.0.1
sip_listen {listen}
sip_certificate {certificate}
sip_cafile {ca}
sip_verify_server {verify}
call_local_timeout 60
call_max_calls 4
audio_player aubridge,ear
audio_source aufile,{folder}/said.wav
audio_alert none,
ausrc_srate {rate}
auplay_srate {rate}
ausrc_channels 1
auplay_channels 1
rtp_ports {first_port}-{last_port}
module_path /usr/lib/baresip/modules
module g711.so
{modules}
module aufile.so
module aubridge.so
module sndfile.so
module srtp.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
snd_path {folder}
rtcp_mux {mux}
"""

START_SECONDS, REPLY_SECONDS = 10, 10
KEY_SECONDS, RELEASE = 0.12, "\x04"


# Above those that the system gives to others: whoever tries a port of theirs that is free by now
# would end the one connection that baresip has.
CONTROL_PORTS = range(61000, 65536)


def control_port() -> int:
    """Tell a port for the control socket that was free a moment ago."""
    for port in random.sample(CONTROL_PORTS, len(CONTROL_PORTS)):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free for a control socket")


def write_tone(
    path: Path,
    frequency: int,
    seconds: int,
    silence: int = 0,
    *,
    before: int = 0,
    rate: int = 8000,
) -> None:
    """Write a tone of `frequency` Hz between silences, 16-bit mono at `rate` Hz."""
    step = 2 * math.pi * frequency / rate
    samples = [0] * rate * before
    samples += [round(8000 * math.sin(step * n)) for n in range(rate)] * seconds
    samples += [0] * rate * silence
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, rate, 0, "NONE", ""))
        out.writeframes(struct.pack(f"<{len(samples)}h", *samples))


class Baresip:
    """One baresip process with one account, in a folder of its own.

    `modules` are those of further codecs and ways; `mux` has RTCP share RTP's port. It says a tone
    of `tone` Hz for `said` seconds of each minute, `waits` seconds after that began, and writes
    down what it hears. Its microphone and loudspeaker have `rate` Hz; one that is to change from
    wideband to narrow has the wider: 1.0 goes on with the resampler that it began with.
    """

    def __init__(
        self,
        folder: Path,
        account: str,
        *,
        ca: Path | str = "",
        certificate: Path | str = "",
        tone: int = 440,
        said: int = 60,
        waits: int = 0,
        first_port: int = 42000,
        listen: str = "127.0.0.1:0",
        modules: Sequence[str] = (),
        mux: bool = False,
        rate: int = 8000,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        control = control_port()
        write_tone(folder / "said.wav", tone, said, 60 - said - waits, before=waits, rate=rate)
        (folder / "config").write_text(
            CONFIG.format(
                folder=folder,
                ca=ca,
                certificate=certificate,
                verify="yes" if ca else "no",
                control=control,
                listen=listen,
                mux="yes" if mux else "no",
                rate=rate,
                first_port=first_port,
                last_port=first_port + 40,
                modules="\n".join(f"module {name}.so" for name in modules),
            )
        )
        (folder / "accounts").write_text(account + "\n")
        (folder / "contacts").write_text("")
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            ["baresip", "-f", str(folder), "-v", "-s"],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self._socket = self._connect(control)
        self._buffer = b""
        self.events: list[dict[str, Any]] = []

    def _connect(self, port: int) -> socket.socket:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=1)
            except OSError:
                assert self._process.poll() is None, self.log()
                time.sleep(0.05)
        raise AssertionError(f"baresip did not open its control socket: {self.log()}")

    def command(self, command: str, params: str = "") -> None:
        """Give a command of baresip's menu by its long name."""
        message = json.dumps({"command": command, "params": params, "token": command}).encode()
        self._socket.sendall(b"%d:%s," % (len(message), message))

    def wait_for(self, kind: str, seconds: float = REPLY_SECONDS) -> dict[str, Any]:
        """Wait for the event of type `kind`, such as CALL_ESTABLISHED."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for event in self._receive(left):
                self.events.append(event)
            for n, event in enumerate(self.events):
                if event.get("type") == kind:
                    return self.events.pop(n)
        raise AssertionError(f"no {kind} in {seconds} s; events {self.events}; log:\n{self.log()}")

    def _receive(self, seconds: float) -> list[dict[str, Any]]:
        """Read what netstrings there are."""
        self._socket.settimeout(min(seconds, 0.2))
        try:
            data = self._socket.recv(65536)
            assert data, (
                f"baresip closed its control socket; status {self._process.poll()}: {self.log()}"
            )
            self._buffer += data
        except TimeoutError:
            return []
        found = []
        while b":" in self._buffer:
            size, rest = self._buffer.split(b":", 1)
            if len(rest) <= int(size):
                break
            found.append(json.loads(rest[: int(size)]))
            self._buffer = rest[int(size) + 1 :]
        return [event for event in found if event.get("event")]

    def press(self, digits: str) -> None:
        """Press keys, one after the other."""
        for digit in digits:
            self.command("sndcode", digit)
            time.sleep(KEY_SECONDS)
            self.command("sndcode", RELEASE)
            time.sleep(KEY_SECONDS)

    def heard(self) -> list[Path]:
        """Recordings of what this telephone heard."""
        return sorted(self.folder.glob("*dec*.wav"))

    def log(self) -> str:
        """What baresip printed so far."""
        return (self.folder / "log").read_text(errors="replace")

    def close(self) -> None:
        """End the process."""
        self._socket.close()
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
        self._log.close()


def answering(
    folder: Path,
    user: str,
    transport: str,
    certs: Path,
    *,
    port: int = 0,
    codecs: str = "",
    **how: Any,
) -> Baresip:
    """Start a telephone that answers by itself, over TLS with SDES alone.

    `certs` is a folder that scripts/certs made; `port` is where it listens, for TLS the one above;
    `codecs` are its own names of them, all that it has where none is told.
    """
    both = certs / "both.pem"
    both.write_text((certs / "server.pem").read_text() + (certs / "server.key").read_text())
    account = f"<sip:{user}@127.0.0.1;transport={transport.lower()}>;regint=0;answermode=auto"
    if codecs:
        account += f";audio_codecs={codecs}"
    return Baresip(
        folder / user, account + (";mediaenc=srtp-mand" if transport == "TLS" else ""),
        ca=certs / "ca.pem", certificate=both, listen=f"127.0.0.1:{port}", **how,
    )  # fmt: skip
