"""Two sessions joined: each peer hears the other, with as little between as the codecs allow."""

from collections.abc import Callable
from dataclasses import dataclass

from opensip.events import MediaJoined
from opensip.media.session import MediaSession


@dataclass(frozen=True, slots=True)
class End:
    """One session, and whether its peer is to get the other's keys as telephone events."""

    session: MediaSession
    takes_keys: Callable[[], bool]


class Joint:
    """Joins in the engine where that can, else hands batches on, and follows each agreement.

    The first session's observer notes each way that it takes. Raises nothing.
    """

    def __init__(self, one: End, other: End) -> None:
        self._ends = one, other
        self._keys = False, False
        self._way = ""
        self.is_over = False
        self._settle()
        for end in self._ends:
            end.session.on_agreed = self._settle

    def carries_keys(self, session: MediaSession) -> bool:
        """Tell whether the engine sends on the telephone events of a session's peer."""
        return self._way == "engine" and self._keys[session is self._ends[1].session]

    def end(self) -> None:
        """Take both apart. May be called again."""
        if self.is_over:
            return
        self.is_over, self._way = True, ""
        for end in self._ends:
            end.session.on_agreed = lambda: None
            end.session.engine.disconnect(end.session.stream)
            end.session.relay_to(None)

    def _settle(self) -> None:
        """Join as the codecs of the moment allow."""
        one, other = (end.session for end in self._ends)
        self._keys = self._ends[1].takes_keys(), self._ends[0].takes_keys()
        joined = one.engine is other.engine and one.engine.connect(
            one.stream, other.stream, keys=self._keys
        )
        way = "engine" if joined else "batches"
        if way == self._way:
            return
        self._way = way
        for here, there in ((one, other), (other, one)):
            here.relay_to(None if joined else there.sink, aside=True)
        codecs = f"{codec_of(one) or 'nothing'} and {codec_of(other) or 'nothing'}"
        one.observer.note(MediaJoined(one.engine.now(), way, codecs))


def codec_of(session: MediaSession) -> str:
    """Tell what a peer and we speak, "" before that was agreed on."""
    agreed = session.negotiated
    return agreed.codec.encoding_name if agreed is not None else ""
