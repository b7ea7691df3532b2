"""What is seen of the media of a target's leg, noted in the books of the call."""

from dataclasses import dataclass

from opensip import events
from opensip.call.journal import line_of
from opensip.events import CallEvent, Observer, TargetMedia

_NOTED = (
    *(events.MediaNegotiated, events.MediaSourceChanged, events.MediaTimedOut, events.Held),
    *(events.MediaQuality, events.MediaStatistics, events.Fault),
)


@dataclass(frozen=True, slots=True)
class TargetBooks:
    """Observes the target's leg for `books`, those of its call. Its keys are nobody's business."""

    books: Observer

    def note(self, event: CallEvent) -> None:
        """Note an event as one of the target's."""
        if isinstance(event, _NOTED):
            line = line_of(event, event.at)
            told = {name: value for name, value in line.items() if name not in ("at", "kind")}
            self.books.note(TargetMedia(event.at, event.kind, told))
