"""Runs Debian's Kamailio as a proxy that stays on the path: it records its route."""

import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.interop.server import free_ports

needs_kamailio = pytest.mark.skipif(
    shutil.which("kamailio") is None
    or not list(Path("/usr/lib").glob("*/kamailio/modules/tls.so")),
    reason="Kamailio or its TLS module is not installed: run scripts/setup",
)

# Calls to "desk" go to the desk, all others to opensip; see `Kamailio` by what transport.
CONFIG = """\
debug=2
log_stderror=yes
fork=yes
children=1
tcp_children=1
enable_tls=yes
tcp_accept_no_cl=no
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
listen=tls:127.0.0.1:{tls_port}

loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "dialog.so"
loadmodule "sst.so"
loadmodule "tls.so"

modparam("tls", "config", "{folder}/tls.cfg")
modparam("dialog", "dlg_flag", 1)
modparam("dialog", "timeout_avp", "$avp(timeout)")
modparam("sst", "sst_flag", 2)
modparam("sst", "min_se", {min_se})
modparam("sst", "timeout_avp", "$avp(timeout)")

request_route {{
    if (!mf_process_maxfwd_header("10")) {{
        sl_send_reply("483", "Too Many Hops");
        exit;
    }}
    if (is_method("CANCEL")) {{
        if (t_check_trans()) t_relay();
        exit;
    }}
    if (has_totag()) {{
        {refusal}
        if (loose_route()) {{
            t_relay();
        }} else if (is_method("ACK")) {{
            if (t_check_trans()) t_relay();
        }} else {{
            sl_send_reply("404", "Not Here");
        }}
        exit;
    }}
    t_check_trans();
    if (is_method("INVITE")) {{
        {timers}
        record_route();
    }}
    if ($rU == "desk") {{
        $du = "{desk}";
    }} else {{
        $du = "{server}";
    }}
    t_relay();
}}
"""

# With it Kamailio guards session timers (RFC 4028): 422, and an interval where nobody named one.
# Its own sstCheckMin compares the wrong way round, so the comparison stands here.
TIMERS = """\
$var(asked) = $(hdr(Session-Expires){{s.select,0,;}}{{s.int}});
        if (is_present_hf("Session-Expires") && $var(asked) < {min_se}) {{
            append_to_reply("Min-SE: {min_se}\\r\\n");
            sl_send_reply("422", "Session Interval Too Small");
            exit;
        }}
        setflag(1);
        setflag(2);"""

# A trunk that lets nobody be passed on: what many answer to a REFER.
REFUSAL = """\
if (is_method("REFER")) {
            sl_send_reply("405", "Method Not Allowed");
            exit;
        }"""

TLS = """\
[server:default]
method = TLSv1.2+
certificate = {certs}/server.pem
private_key = {certs}/server.key

[client:default]
method = TLSv1.2+
verify_certificate = yes
ca_list = {certs}/ca.pem
"""

START_SECONDS = 10


def next_hop(port: int, transport: str) -> str:
    """Where requests are sent on."""
    return f"sip:127.0.0.1:{port + (transport == 'TLS')};transport={transport.lower()}"


class Kamailio:
    """A proxy in front of the server at `server_port` and a desk at `desk_port`.

    Both are reached by `transport`, the server by `inside` if given, over TLS one port above: it
    records both its sides then (RFC 5658). `min_se` lets it guard session
    timers, with that many seconds as the least; `refers` says whether it lets a REFER pass.
    """

    def __init__(
        self, folder: Path, *, transport: str, server_port: int, desk_port: int, certs: Path,
        min_se: int = 0, inside: str = "", refers: bool = True,
    ) -> None:  # fmt: skip
        folder.mkdir()
        self.folder, self.transport = folder, transport
        self._port = free_ports(above=max(server_port, desk_port))
        self.port = self._port + (transport == "TLS")
        (folder / "tls.cfg").write_text(TLS.format(certs=certs))
        config = folder / "kamailio.cfg"
        config.write_text(
            CONFIG.format(
                folder=folder, port=self._port, tls_port=self._port + 1, min_se=min_se or 90,
                timers=TIMERS.format(min_se=min_se) if min_se else "",
                refusal="" if refers else REFUSAL,
                desk=next_hop(desk_port, transport),
                server=next_hop(server_port, inside or transport),
            )
        )  # fmt: skip
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            ["kamailio", "-f", config, "-DD", "-E", "-m", "32", "-M", "4", "-Y", folder],
            stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._wait_until_started()

    def uri(self, user: str) -> str:
        """How a user behind the proxy is called through it."""
        return f"sip:{user}@127.0.0.1:{self.port};transport={self.transport.lower()}"

    def _wait_until_started(self) -> None:
        options = (
            f"OPTIONS sip:127.0.0.1:{self._port} SIP/2.0\r\n"
            "Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKstart;rport\r\nMax-Forwards: 0\r\n"
            "From: <sip:start@127.0.0.1>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: start\r\n"
            "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        )
        end = time.monotonic() + START_SECONDS
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            probe.settimeout(0.1)
            while True:
                assert self._process.poll() is None, self.log()
                assert time.monotonic() < end, f"Kamailio does not answer:\n{self.log()}"
                port = str(probe.getsockname()[1])
                probe.sendto(options.replace("{port}", port).encode(), ("127.0.0.1", self._port))
                try:
                    if probe.recv(2048).startswith(b"SIP/2.0 483"):
                        return
                except (TimeoutError, ConnectionRefusedError):
                    time.sleep(0.05)

    def log(self) -> str:
        """What Kamailio logged so far."""
        return (self.folder / "log").read_text(errors="replace")

    def close(self) -> None:
        """End all its processes."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
