"""Speech that is said again and again (greetings, fillers, apologies), kept for all calls."""

from collections import OrderedDict
from collections.abc import Hashable

from opensip.audio.frame import Samples

LARGEST = 20_000_000  # samples, 40 MB: the standing words of many agents, and no more


class VoiceCache:
    """Samples by a key that names voice, rate and text; the longest unused goes first."""

    def __init__(self, largest: int = LARGEST) -> None:
        self._items: OrderedDict[Hashable, Samples] = OrderedDict()
        self._largest = largest
        self._size = 0

    def get(self, key: Hashable) -> Samples | None:
        """Give what is kept under a key, if anything is."""
        if key in self._items:
            self._items.move_to_end(key)
        return self._items.get(key)

    def put(self, key: Hashable, samples: Samples) -> None:
        """Keep samples under a key."""
        if key not in self._items:
            self._items[key] = samples
            self._size += len(samples)
        while self._size > self._largest:
            self._size -= len(self._items.popitem(last=False)[1])
