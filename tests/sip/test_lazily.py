"""Values that are read once, and only when asked for."""

from opensip.sip.lazily import lazily


class Reading:
    """Counts how often its value is read."""

    reads = 0

    @lazily
    def value(self) -> int:
        """Tell the value."""
        self.reads += 1
        return 7


def test_a_value_is_read_when_first_asked_for_and_never_again() -> None:
    reading = Reading()
    assert reading.reads == 0
    assert (reading.value, reading.value, reading.reads) == (7, 7, 1)


def test_each_object_has_its_own() -> None:
    one, other = Reading(), Reading()
    assert one.value == 7
    assert (one.reads, other.reads) == (1, 0)


def test_it_documents_itself() -> None:
    assert Reading.value.__doc__ == "Tell the value."
