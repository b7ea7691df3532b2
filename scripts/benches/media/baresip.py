"""Debian's baresip under the load: calls over SIP with SDES, a tone out, nobody listening."""

import shutil
import tempfile
import wave
from pathlib import Path

import numpy as np

from scripts.benches.media.called import under_load
from scripts.benches.process import HOST, free_port, pinned, serving
from scripts.benches.server import NUMBER

CONFIG = """\
poll_method epoll
net_interface 127.0.0.1
sip_listen 127.0.0.1:{port}
call_max_calls 0
call_hold_other_calls no
audio_player aubridge,nobody
audio_source aufile,{folder}/tone.wav
audio_alert none,
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports 20000-59999
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module aubridge.so
module srtp.so
module_app account.so
module_app menu.so
"""


def can_run() -> bool:
    """Tell whether baresip is installed."""
    return shutil.which("baresip") is not None


def measure_baresip(calls: int, seconds: int, load_program: str) -> float:
    """Run it against the load; returns its CPU in ms per second and call."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        write_home(folder, port)
        command = [*pinned(0), "baresip", "-f", str(folder)]
        with serving(command, folder / "log", "baresip is ready") as pid:
            done = under_load(pid, port, calls=calls, seconds=seconds, load_program=load_program)
    return done.cpu * 1000 / (calls * seconds)


def write_home(folder: Path, port: int) -> None:
    """Write its configuration, and a second of tone."""
    (folder / "config").write_text(CONFIG.format(folder=folder, port=port))
    account = f"<sip:{NUMBER}@{HOST}>;regint=0;answermode=auto;mediaenc=srtp;audio_codecs=PCMU\n"
    (folder / "accounts").write_text(account)
    (folder / "contacts").write_text("")
    tone = (8000 * np.sin(np.arange(8000 * 60) * 2 * np.pi * 400 / 8000)).astype("<i2")
    with wave.open(str(folder / "tone.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(tone.tobytes())
