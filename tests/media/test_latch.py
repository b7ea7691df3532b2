import pytest

from opensip.media.latch import GRACE, PROBATION, PROVEN, SILENT, SourceLatch

SIGNALLED, OTHER, ATTACKER = ("192.0.2.1", 4000), ("192.0.2.9", 5000), ("198.51.100.66", 6000)

# each row: mode, packets as (source, ssrc), which of them are admitted, where we send at the end
ROWS = {
    "the signalled source is taken": ("plain", [(SIGNALLED, 1)], [True], SIGNALLED),
    "another source is taken from its second packet": (
        "plain", [(OTHER, 1), (OTHER, 1), (OTHER, 1)], [False, True, True], OTHER,
    ),
    "not with another SSRC": ("plain", [(OTHER, 1), (OTHER, 2)], [False, False], SIGNALLED),
    "not from changing sources": (
        "plain", [(OTHER, 1), (ATTACKER, 1), (OTHER, 1)], [False, False, False], SIGNALLED,
    ),
    "not once the signalled source has spoken": (
        "plain", [(SIGNALLED, 1), (OTHER, 1), (OTHER, 1)], [True, False, False], SIGNALLED,
    ),
    "once only": (
        "plain",
        [(OTHER, 1), (OTHER, 1), (ATTACKER, 1), (ATTACKER, 1), (OTHER, 1)],
        [False, True, False, False, True],
        OTHER,
    ),
    "the signalled source wins back what another has taken, for good": (
        "plain",
        [(OTHER, 1), (OTHER, 1), (SIGNALLED, 2), (OTHER, 1), (OTHER, 1), (SIGNALLED, 2)],
        [False, True, True, False, False, True],
        SIGNALLED,
    ),
    "never when strict": ("strict", [(OTHER, 1)] * 3, [False] * 3, SIGNALLED),
    "a proven source may move at any time": (
        "srtp", [(SIGNALLED, 1), (OTHER, 1), (ATTACKER, 2)], [True] * 3, ATTACKER,
    ),
    "strict holds under SRTP too": ("strict srtp", [(OTHER, 1)], [False], SIGNALLED),
}  # fmt: skip


@pytest.mark.parametrize(("mode", "packets", "admitted", "remote"), ROWS.values(), ids=ROWS)
def test_latching(mode, packets, admitted, remote):
    latch = SourceLatch(SIGNALLED, symmetric="strict" not in mode, authenticated="srtp" in mode)
    assert [latch.admit(source, ssrc, now=0) for source, ssrc in packets] == admitted
    assert latch.remote == remote


def test_nobody_is_settled_before_it_is_clear_who_the_peer_is():
    latch = SourceLatch(SIGNALLED)
    latch.admit(OTHER, 1, now=1.0)
    assert not latch.settled
    for now, settled in ((1.0, False), (0.9 + PROVEN, False), (1.0 + PROVEN, True)):
        assert latch.admit(OTHER, 1, now=now)
        assert latch.settled == settled
    assert latch.admit(SIGNALLED, 2, now=50)  # heard at last
    assert (latch.remote, latch.settled) == (SIGNALLED, True)
    assert not latch.admit(OTHER, 1, now=51)
    for mode in ({}, {"symmetric": False}, {"authenticated": True}):
        latch = SourceLatch(SIGNALLED, **mode)
        latch.admit(SIGNALLED, 1, now=0)
        assert latch.settled


def test_too_late_after_the_first_packets():
    latch = SourceLatch(SIGNALLED)
    for ssrc in range(PROBATION):
        assert not latch.admit(OTHER, ssrc, now=0)
    assert not latch.admit(OTHER, PROBATION - 1, now=0)
    assert latch.admit(SIGNALLED, 7, now=0)


def test_the_former_place_is_good_until_the_new_one_speaks_and_for_a_while():
    for options in ({}, {"authenticated": True}, {"symmetric": False}):
        latch = SourceLatch(SIGNALLED, former=OTHER, **options)
        assert latch.admit(OTHER, 1, now=0)
        assert latch.admit(OTHER, 1, now=0)
        assert latch.remote == SIGNALLED
        assert latch.admit(SIGNALLED, 1, now=0)
        assert latch.admit(OTHER, 1, now=0) == ("authenticated" in options)
    latch = SourceLatch(SIGNALLED, former=OTHER, symmetric=False)
    assert [latch.admit(OTHER, 1, now=0) for _ in range(GRACE + 1)] == [True] * GRACE + [False]


def test_who_may_be_alone():
    plain = SourceLatch(SIGNALLED)
    assert not plain.is_alone(None, now=0)
    plain.admit(SIGNALLED, 1, now=0)
    assert plain.is_alone(0, now=100)  # nobody else can be the peer
    latched = SourceLatch(SIGNALLED)
    for now in (0, 0, PROVEN - 1):
        latched.admit(OTHER, 1, now=now)
    assert not latched.is_alone(PROVEN - 1, now=PROVEN - 1)
    latched.admit(OTHER, 1, now=PROVEN)
    secure = SourceLatch(SIGNALLED, authenticated=True)
    assert not secure.is_alone(None, now=0)
    secure.admit(OTHER, 1, now=PROVEN)
    for latch in (latched, secure):
        assert latch.is_alone(PROVEN, now=PROVEN + SILENT)
        assert not latch.is_alone(PROVEN, now=PROVEN + 2 * SILENT)


def test_a_strict_source_is_alone_at_once_unless_the_former_may_still_speak():
    assert SourceLatch(SIGNALLED, symmetric=False).is_alone(None, now=0)
    latch = SourceLatch(SIGNALLED, symmetric=False, former=OTHER)
    for _ in range(GRACE):
        assert not latch.is_alone(0, now=0)
        latch.admit(OTHER, 1, now=0)
    assert latch.is_alone(0, now=0)
    latch = SourceLatch(SIGNALLED, symmetric=False, former=OTHER)
    latch.admit(SIGNALLED, 1, now=0)
    assert latch.is_alone(0, now=0)
