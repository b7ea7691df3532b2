from opensip.agent.readings import Readings


def test_the_likeliest_is_read_back_and_then_the_next():
    readings = Readings()
    assert readings.heard(["3884", "3864", "3884"]) == "3884"
    assert readings.refuse("3884") == "3864"
    assert readings.refuse("3864") == ""


def test_one_other_is_offered_and_then_the_number_is_said_again():
    readings = Readings()
    assert readings.heard(["1", "2", "3"]) == "1"
    assert readings.refuse("1") == "2"
    assert readings.refuse("2") == ""


def test_what_was_refused_is_not_read_back_again_unless_it_sounds_like_nothing_else():
    readings = Readings()
    readings.heard(["3884"])
    readings.refuse("3884")
    assert readings.heard(["3884", "3864"]) == "3864"
    assert readings.heard(["3884"]) == "3884"


def test_forgotten_are_those_of_a_number_agreed_on():
    readings = Readings()
    readings.heard(["1", "2"])
    readings.refuse("1")
    readings.clear()
    assert readings.heard(["1"]) == "1"
    assert readings.refuse("1") == ""
