import pytest

from opensip.sip.asking import Asking
from opensip.sip.dialog import Dialog
from opensip.sip.usage import Ask
from tests.fakes.sip_exchange import answer_to, make_request

INVITE = make_request()
DIALOG_CONTACT = "<sip:alice@192.0.2.1>"


def answer(asking, status):
    sent = asking.request or make_request("INFO", cseq=99)
    sent = sent.with_headers(sent.headers.prepend("Via", "SIP/2.0/UDP a;branch=z9hG4bKx"))
    return asking.receive(answer_to(sent, status))


@pytest.fixture
def commands():
    return []


@pytest.fixture
def asking(commands):
    dialog = Dialog.as_uac(INVITE, answer_to(INVITE, 200), DIALOG_CONTACT)
    credentials = iter([[("Authorization", "Digest x")]])
    return Asking(dialog, commands.append, lambda request, response: next(credentials, None))


def test_it_is_busy_until_the_final_response(asking, commands):
    assert answer(asking, 200) is None
    asking.send("INFO", body=b"x")
    (ask,) = commands
    assert isinstance(ask, Ask)
    assert asking.is_busy
    assert answer(asking, 180) is None
    assert answer(asking, 200) is ask.request
    assert not asking.is_busy


def test_a_challenge_is_answered_once(asking, commands):
    asking.send("INFO")
    assert answer(asking, 401) is None
    again = commands[1].request
    assert again.headers.get("Authorization") == "Digest x"
    assert again.cseq.number == 3
    assert answer(asking, 401) is again


def test_without_an_answer(asking):
    asking.send("INFO")
    sent = asking.request
    assert asking.fail() is sent
    assert asking.fail() is None
