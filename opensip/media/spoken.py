"""The codecs of a session: what we bring to its next offer or answer, and what its peer can."""

from collections.abc import Iterable

from opensip.audio.codecs import G711, find
from opensip.rtp.payload import PayloadFormat, event_formats
from opensip.sdp.offer_answer import Negotiated

Formats = tuple[PayloadFormat, ...]


class Spoken:
    """Codecs by name, preferred first, each with its telephone events. Does no I/O.

    `formats` are those of the next offer, and of an answer where one of them fits; `may_change`
    tells whether the peer may be asked for others than it has chosen. Raises ConfigError and
    MissingExtra where a codec cannot be had.
    """

    def __init__(self, names: Iterable[str], *, may_change: bool = True) -> None:
        self.may_change = may_change
        self._codecs = tuple(find(name).format for name in names)
        self.formats = self.all = _with_events(self._codecs)
        self._listed: set[str] = set()  # by the peer, in any offer or answer
        self._has_offered = False

    def learn(self, agreed: Negotiated, *, offered: bool) -> None:
        """Take what the peer's description lists: of an offer all that it can, of an answer some.

        RFC 3264 section 6.1: who answers may leave out what it does not want to hear now.
        """
        self._listed |= {form.encoding_name.upper() for form in agreed.listed}
        self._has_offered = self._has_offered or offered

    def plain(self, first: str) -> Formats:
        """Give the codecs of ours that the engine can join and the peer may speak, `first` first.

        The peer may speak what it has listed, and anything before it has made an offer.
        """
        ours = [form for form in self._codecs if form.encoding_name in G711]
        if self._has_offered:
            ours = [form for form in ours if form.encoding_name in self._listed]
        return tuple(sorted(ours, key=lambda form: form.encoding_name != first))

    def narrow(self, codecs: Formats) -> None:
        """Bring nothing but these from now on."""
        self.formats = _with_events(codecs)

    def widen(self) -> None:
        """Bring all again."""
        self.formats = self.all


def _with_events(codecs: Formats) -> Formats:
    return (*codecs, *event_formats(codecs))
