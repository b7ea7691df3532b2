import pytest

from opensip.phone.remedies import remedy
from opensip.sip.uri import Uri


@pytest.mark.parametrize(
    ("status", "uri", "more", "told"),
    [
        (408, "sip:a@127.0.0.1:5999", {}, "nothing answers on UDP 127.0.0.1:5999"),
        (408, "sip:a@192.0.2.1", {}, "nothing answers on UDP 192.0.2.1:5060"),
        (408, "sip:a@192.0.2.1", {}, "try ;transport=tcp or ;transport=tls"),
        (401, "sip:a@192.0.2.1", {}, "--user NAME --password env:NAME"),
        (407, "sip:a@192.0.2.1", {"gave_password": True}, "user or password is wrong: see --user"),
    ],
)
def test_says_what_to_try(status, uri, more, told):
    given = {"rang": False, "gave_password": False} | more
    assert told in remedy(status, Uri.parse(uri), **given)


@pytest.mark.parametrize(
    ("status", "uri", "rang"),
    [(408, "sip:a@h", True), (408, "sip:a@h;transport=tcp", False), (486, "sip:a@h", False)],
)
def test_what_says_enough_needs_none(status, uri, rang):
    assert remedy(status, Uri.parse(uri), rang=rang, gave_password=False) == ""
