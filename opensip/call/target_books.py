"""What is seen of the media of a target's leg, noted in the books of the call."""

import dataclasses
from dataclasses import dataclass

from opensip.events import (
    CallEvent,
    Fault,
    Held,
    MediaNegotiated,
    MediaQuality,
    MediaSourceChanged,
    MediaStatistics,
    MediaTimedOut,
    Observer,
    TargetMedia,
)

_NOTED = (
    Fault,
    Held,
    MediaNegotiated,
    MediaQuality,
    MediaSourceChanged,
    MediaStatistics,
    MediaTimedOut,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TargetBooks:
    """Observes the target's leg for `books`, those of its call. Its keys are nobody's business."""

    books: Observer

    def note(self, event: CallEvent) -> None:
        """Note an event as one of the target's."""
        if isinstance(event, _NOTED):
            told = {
                field.name: getattr(event, field.name)
                for field in dataclasses.fields(event)
                if field.name != "at"
            }
            self.books.note(TargetMedia(event.at, event.kind, told))
