from opensip.sip.reasons import REASONS, reason_of


def test_reason_of_known_unknown_and_impossible_status():
    assert reason_of(486) == "Busy Here"
    assert reason_of(499) == REASONS[400]
    assert reason_of(299) == "OK"
    assert reason_of(999) == "Unknown"
