"""The messages of one call, on their way to its observer."""

import re
from collections import deque
from functools import lru_cache

from opensip.events import Fault, Observer, SipReceived, SipSent
from opensip.sip.flow import Flow
from opensip.sip.masking import masked

_CALL_ID = re.compile(rb"\r\n(?:call-id|i)[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)
_BACKLOG = 8  # messages kept until an observer is attached: the INVITE, and what goes before
MAX_MESSAGES = 2000  # of one call: a day of session refreshes, and no more of a peer gone mad
MAX_TEXT = 16384  # octets of one message: what says more has it in its body

Kind = type[SipReceived] | type[SipSent]


def call_id_of(data: bytes) -> str:
    """Find the Call-ID of a message without parsing it; "" if it has none."""
    found = _CALL_ID.search(data)
    return found[1].strip().decode("utf-8", "surrogateescape") if found else ""


class Watch:
    """Hands the messages of a call to an observer, those from before it came first."""

    def __init__(self, observer: Observer | None = None) -> None:
        self._observer = observer
        self._left = MAX_MESSAGES
        self._backlog: deque[tuple[Kind, float, Flow, bytes]] = deque(maxlen=_BACKLOG)

    def attach(self, observer: Observer) -> None:
        """Let an observer see the messages, from the first one on."""
        self._observer = observer
        while self._backlog:
            self.note(*self._backlog.popleft())

    def note(self, kind: Kind, at: float, flow: Flow, data: bytes) -> None:
        """Take a message that came or went at the time `at`."""
        if self._observer is None:
            self._backlog.append((kind, at, flow, data))
            return
        if self._left <= 0:
            self._say_once(at)
            return
        self._left -= 1
        if len(data) > MAX_TEXT:
            data = data[:MAX_TEXT]
        text = data.decode("utf-8", "replace")
        lower = data.lower()
        if b"authorization" in lower or b"inline:" in lower:  # costs less than masking each message
            text = masked(text)
        self._observer.note(
            kind(at, flow.transport, _host_port(flow.local), _host_port(flow.remote), text)
        )

    def _say_once(self, at: float) -> None:
        if self._left == 0 and self._observer is not None:
            self._left = -1
            why = f"more than {MAX_MESSAGES} SIP messages: later ones are not kept"
            self._observer.note(Fault(at, "journal", why))


class Watches(dict[str, Watch]):
    """The watches of all calls, by their Call-ID."""

    def of(self, call_id: str) -> Watch:
        """Give the watch of a call, made where there is none yet."""
        return self.setdefault(call_id, Watch())

    def note(self, kind: Kind, at: float, flow: Flow, data: bytes) -> None:
        """Hand a message to the watch of its call, if that is watched."""
        if self and (watch := self.get(call_id_of(data))) is not None:
            watch.note(kind, at, flow, data)


@lru_cache(1024)  # of the same few peers, in each message
def _host_port(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
