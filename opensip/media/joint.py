"""Two sessions joined: each peer hears the other, with as little between as the codecs allow."""

import asyncio

from opensip.events import MediaJoined
from opensip.media.accord import End, Proposal, agree, codec_of, propose
from opensip.media.session import MediaSession

_CHANGED = "a peer has changed its codec since"


class Joint:
    """Joins in the engine where that can, else hands batches on, and follows each agreement.

    Where one re-INVITE may let the engine join them, its peer is asked once; until that has
    answered, and where it does not wish to, batches are handed on. The first session is the
    caller's, the other the target's; its observer notes each way that it takes, and why. Raises
    nothing.
    """

    def __init__(self, one: End, other: End) -> None:
        self._ends = one, other
        self._keys = False, False
        self._way = self._why = ""
        self._proposal: Proposal | None = None  # that was made
        self._asking: asyncio.Future[None] | None = None
        self._verdict = ""  # what came of it
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
        if self._asking is not None:
            self._asking.cancel()
        for end in self._ends:
            end.session.on_agreed = lambda: None
            end.session.engine.disconnect(end.session.stream)
            end.session.relay_to(None)
        if self._proposal is not None:
            self._proposal.end.session.spoken.widen()

    def _settle(self) -> None:
        """Join as the codecs of the moment allow."""
        one, other = (end.session for end in self._ends)
        self._keys = self._ends[1].takes_keys(), self._ends[0].takes_keys()
        joined = one.engine is other.engine and one.engine.connect(
            one.stream, other.stream, keys=self._keys
        )
        way = "engine" if joined else "batches"
        if way != self._way:
            for here, there in ((one, other), (other, one)):
                here.relay_to(None if joined else there.sink, aside=True)
        why = self._why_joined() if joined else self._why_not()
        if (way, why) == (self._way, self._why):
            return
        self._way, self._why = way, why
        codecs = f"{codec_of(one) or 'nothing'} and {codec_of(other) or 'nothing'}"
        one.observer.note(MediaJoined(one.engine.now(), way, codecs, why))

    def _why_joined(self) -> str:
        if self._proposal is None:
            return "both speak G.711"
        self._verdict = _CHANGED
        return f"the {self._proposal.who} agreed by re-INVITE"

    def _why_not(self) -> str:
        """Tell why Python hands the sound on; ask a peer where that may change it."""
        if self._proposal is not None:
            return self._verdict or str(self._proposal)
        found = propose(*self._ends)
        if isinstance(found, Proposal):
            self._proposal = found
            self._asking = asyncio.ensure_future(self._ask(found))
        return str(found)

    async def _ask(self, proposal: Proposal) -> None:
        self._verdict = await agree(proposal) or _CHANGED
        self._settle()
