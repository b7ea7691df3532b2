from opensip.carriers import CARRIERS, Number, Trunk


def trunk(**changes):
    numbers = {"+15553334444": Number("shop"), "echo": Number("echo", recording=True, consent="")}
    return Trunk("t", numbers=numbers, **changes)


def test_a_number_follows_its_trunk_where_it_says_nothing():
    found = trunk(recording=True, consent="May we?").route("+15553334444")
    assert found == Number("shop", recording=True, consent="May we?")


def test_a_number_may_differ_from_its_trunk():
    assert trunk(consent="May we?").route("echo") == Number("echo", recording=True, consent="")


def test_an_unknown_number_leads_nowhere_unless_a_star_takes_it():
    assert trunk().route("+15550000000") is None
    assert Trunk("t", numbers={"*": Number("echo")}).route("x") == Number("echo", False, "")


def test_the_password_is_not_shown():
    assert "hunter2" not in repr(Trunk("t", password="hunter2"))


def test_every_carrier_stands_under_its_name():
    assert {name: carrier.name for name, carrier in CARRIERS.items()} == {
        "generic": "generic",
        "bandwidth": "bandwidth",
    }
    assert CARRIERS["bandwidth"].tls == "bandwidth"
