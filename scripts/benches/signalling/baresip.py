"""Debian's baresip, which takes each call at once and hears and says nothing."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from subject import CALLER, Subject

from scripts.benches.process import HOST, pinned, serving
from scripts.benches.server import NUMBER

CONFIG = """\
poll_method epoll
net_interface {host}
sip_listen {host}:{port}
call_max_calls 0
call_hold_other_calls no
rtp_ports 20000-59999
module_path /usr/lib/baresip/modules
module g711.so
module_app account.so
module_app menu.so
"""


@contextmanager
def baresip(folder: Path, port: int, idle_seconds: float) -> Iterator[Subject | None]:
    """Run baresip until the end of the block; None where there is none."""
    if shutil.which("baresip") is None:
        yield None
        return
    home = folder / "baresip"
    home.mkdir()
    (home / "config").write_text(CONFIG.format(host=HOST, port=port))
    (home / "accounts").write_text(f"<sip:{NUMBER}@{HOST}>;regint=0;answermode=auto\n")
    (home / "contacts").write_text("")
    command = [*pinned(0), "baresip", "-f", str(home)]
    with serving(command, folder / "baresip.log", "ready") as pid:
        yield Subject(pid, port, idle_seconds)


def scenario(folder: Path) -> Path:
    """Write the caller of uac.xml, to whom 100 and 180 may come or not."""
    text = CALLER.read_text()
    for status in (100, 180):
        text = text.replace(f'response="{status}"', f'response="{status}" optional="true"')
    made = folder / "uac_baresip.xml"
    made.write_text(text)
    return made
