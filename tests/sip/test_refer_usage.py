import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import RemoteProtocolError
from opensip.sip.dialog import Dialog
from opensip.sip.refer_usage import (
    ReferProgress,
    ReferReceiver,
    ReferSender,
    read_sipfrag,
    write_sipfrag,
)
from opensip.sip.transaction.matching import key_of_request
from opensip.sip.usage import Respond
from tests.fakes.run_until import events_of, run_until
from tests.fakes.sip_exchange import answer_to, make_request

TARGET = "<sip:desk@192.0.2.3>"
ACTIVE, TERMINATED = "active;expires=60", "terminated;reason=noresource"


def make_dialog():
    invite = make_request()
    return Dialog.as_uac(invite, answer_to(invite, 200), "<sip:alice@192.0.2.1>")


class Sender:
    """A REFER of alice, and what bob says to it."""

    def __init__(self, **options):
        self.refer = ReferSender(make_dialog(), TARGET, **options)
        (command,) = self.refer.messages_to_send()
        self.request = command.request

    def answered(self, status, *, headers=(), now=0.0, cseq=None):
        number = cseq or self.refer.request.cseq.number
        response = answer_to(make_request("REFER", cseq=number), status, headers=headers)
        self.refer.receive_response(response, now=now)

    def notify(self, body, state=ACTIVE, *, event="refer", now=1.0):
        headers = (("Event", event),)
        if state:
            headers += (("Subscription-State", state),)
        request = make_request("NOTIFY", headers=headers, body=body, to_tag="from1")
        assert self.refer.matches(request)
        self.refer.receive_notify(key_of_request(request), request, now=now)
        (command,) = self.refer.messages_to_send()
        assert isinstance(command, Respond)
        assert command.response.status == 200

    def told(self):
        return [(e.way, e.status, e.final) for e in events_of(self.refer)]


class TestSender:
    def test_the_request(self):
        alice = Sender(headers=[("Referred-By", "<sip:alice@example.com>")])
        assert str(alice.request.cseq) == "2 REFER"
        assert alice.request.headers.get("Refer-To") == TARGET
        assert alice.request.headers.get("Referred-By") == "<sip:alice@example.com>"
        assert str(alice.request.contact) == "<sip:alice@192.0.2.1>"

    @pytest.mark.parametrize("accepted", [200, 202])
    def test_the_usual_way(self, accepted):
        alice = Sender()
        alice.answered(100)
        alice.answered(accepted)
        alice.answered(accepted)
        alice.notify(b"SIP/2.0 100 Trying\r\n", event="refer;id=2")
        alice.notify(b"SIP/2.0 180 Ringing\r\n")
        assert not alice.refer.is_final
        alice.notify(b"SIP/2.0 200 OK\r\n", TERMINATED)
        assert alice.told() == [
            ("refer", accepted, False),
            ("notify", 100, False),
            ("notify", 180, False),
            ("notify", 200, True),
        ]
        assert alice.refer.is_final
        assert alice.refer.get_timer() is None

    def test_a_notify_may_come_before_the_202(self):
        alice = Sender()
        alice.notify(b"SIP/2.0 100 Trying\r\n")
        alice.refer.transaction_failed(408)
        alice.answered(202)
        alice.notify(b"SIP/2.0 200 OK\r\n", TERMINATED)
        assert [t[:2] for t in alice.told()] == [("notify", 100), ("refer", 202), ("notify", 200)]

    def test_even_the_last_one(self):
        alice = Sender()
        alice.notify(b"SIP/2.0 200 OK\r\n", TERMINATED)
        alice.answered(202)
        assert alice.told() == [("notify", 200, True)]
        assert alice.refer.get_timer() is None

    @pytest.mark.parametrize("status", [405, 408, 503, 603])
    def test_it_is_refused(self, status):
        alice = Sender()
        alice.answered(status)
        assert alice.told() == [("refer", status, True)]

    @pytest.mark.parametrize("status", [408, 503])
    def test_nobody_answers(self, status):
        alice = Sender()
        alice.refer.transaction_failed(status)
        assert alice.told() == [("refer", status, True)]

    def test_failure_of_the_target(self):
        alice = Sender()
        alice.answered(202)
        alice.notify(b"SIP/2.0 486 Busy Here\r\n", TERMINATED)
        assert alice.told()[-1] == ("notify", 486, True)

    @pytest.mark.parametrize("state", [ACTIVE, "", "garbage;;"])
    def test_a_final_status_is_final_whatever_the_subscription_says(self, state):
        alice = Sender()
        alice.notify(b"SIP/2.0 200\r\n", state)
        assert alice.told() == [("notify", 200, True)]

    @pytest.mark.parametrize("body", [b"", b"garbage", b"SIP/2.0 100 Trying"])
    def test_a_subscription_that_ends_without_a_final_status_is_final(self, body):
        alice = Sender()
        alice.notify(body, "Terminated;reason=timeout")
        assert alice.told() == [("notify", read_sipfrag(body), True)]

    def test_a_notify_that_says_nothing_is_answered(self):
        alice = Sender()
        alice.notify(b"", ACTIVE)
        assert alice.told() == []

    def test_after_the_end_notifies_are_answered_and_change_nothing(self):
        alice = Sender()
        alice.answered(603)
        alice.notify(b"SIP/2.0 200 OK", TERMINATED)
        assert alice.told() == [("refer", 603, True)]
        assert alice.refer.get_timer() is None

    def test_silence_is_an_end(self):
        alice = Sender()
        alice.answered(202, now=10)
        alice.refer.handle_timer(now=39.9)
        assert alice.told() == [("refer", 202, False)]
        assert run_until(alice.refer, 40) == []
        assert alice.told() == [("notify", 0, True)]

    def test_each_notify_breaks_the_silence(self):
        alice = Sender(silence=5.0)
        alice.answered(202, now=0)
        alice.notify(b"SIP/2.0 180 Ringing", now=4)
        assert alice.refer.get_timer() == 9

    def test_bye_before_the_end_is_success(self):
        alice = Sender()
        alice.answered(202)
        alice.refer.receive_bye()
        alice.refer.receive_bye()
        assert alice.told() == [("refer", 202, False), ("bye", 200, True)]

    def test_bye_before_the_refer_was_taken_is_no_success(self):
        alice = Sender()
        alice.refer.receive_bye()
        assert alice.told() == [("bye", 481, True)]

    def test_without_a_subscription_the_2xx_is_the_end(self):
        alice = Sender()
        alice.answered(202, headers=(("Refer-Sub", " False ;x"),))
        assert alice.told() == [("refer", 202, True)]
        assert alice.refer.get_timer() is None

    def test_a_challenge_is_answered(self):
        credentials = iter([[("Authorization", "Digest x")], None])
        alice = Sender(authorize=lambda req, resp: next(credentials))
        alice.answered(401)
        (again,) = alice.refer.messages_to_send()
        assert again.request.headers.get("Authorization") == "Digest x"
        assert again.request.cseq.number == 3
        alice.answered(401, cseq=2)
        assert alice.told() == []
        alice.notify(b"SIP/2.0 100 Trying", event="refer;id=3")
        alice.answered(401)
        assert alice.told() == [("notify", 100, False), ("refer", 401, True)]

    @pytest.mark.parametrize(
        ("method", "event"),
        [("NOTIFY", "refer;id=99"), ("NOTIFY", "dialog"), ("NOTIFY", "re fer"), ("INFO", "refer")],
    )
    def test_what_is_not_its_own(self, method, event):
        request = make_request(method, headers=(("Event", event),))
        assert not Sender().refer.matches(request)

    def test_a_notify_without_event_is_not_its_own(self):
        assert not Sender().refer.matches(make_request("NOTIFY"))


class TestSipfrag:
    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"SIP/2.0 200 OK", 200),
            (b"SIP/2.0 200 OK\r\nContact: <sip:x@y>\r\n", 200),
            (b"SIP/2.0 603", 603),
            (b"SIP/2.0 603 \xc3\xa9\xff\r\n", 603),
            (b"\r\n sip/2.0  180 Ringing", 180),
            (b"SIP/2.0 2000 OK", 0),
            (b"SIP/2.0 099 Odd", 0),
            (b"SIP/3.0 200 OK", 0),
            (b"INVITE sip:a SIP/2.0", 0),
            (b"", 0),
        ],
    )
    def test_reading(self, body, status):
        assert read_sipfrag(body) == status

    @given(body=st.binary(max_size=40))
    def test_any_octets_can_be_read(self, body):
        status = read_sipfrag(body)
        assert status == 0 or 100 <= status <= 699

    def test_writing(self):
        assert write_sipfrag(100) == b"SIP/2.0 100 Trying\r\n"
        assert write_sipfrag(486, "Busy Here") == b"SIP/2.0 486 Busy Here\r\n"


class Receiver:
    def __init__(self, *headers):
        fields = headers or (("Refer-To", TARGET),)
        self.request = make_request("REFER", cseq=9, headers=fields)
        self.refer = ReferReceiver(make_dialog(), key_of_request(self.request), self.request)

    def commands(self):
        return self.refer.messages_to_send()


class TestReceiver:
    def test_it_is_accepted_and_followed(self):
        bob = Receiver()
        assert str(bob.refer.target.uri) == "sip:desk@192.0.2.3"
        bob.refer.accept()
        accepted, trying = bob.commands()
        assert accepted.response.status == 202
        assert accepted.response.contact is not None
        notify = trying.request
        assert notify.method == "NOTIFY"
        assert notify.headers.get("Event") == "refer;id=9"
        assert notify.headers.get("Subscription-State") == ACTIVE
        assert notify.headers.get("Content-Type") == "message/sipfrag;version=2.0"
        assert notify.body == b"SIP/2.0 100 Trying\r\n"
        bob.refer.notify(180)
        bob.refer.notify(200)
        bob.refer.notify(486)
        ringing, done = bob.commands()
        assert ringing.request.body == b"SIP/2.0 180 Ringing\r\n"
        assert done.request.headers.get("Subscription-State") == TERMINATED
        assert bob.refer.is_over

    def test_it_may_end_without_a_final_status(self):
        bob = Receiver()
        bob.refer.notify(180, "Ringing", final=True)
        assert bob.refer.is_over

    def test_a_peer_that_wants_no_subscription_gets_none(self):
        bob = Receiver(("Refer-To", TARGET), ("Refer-Sub", "false"))
        bob.refer.accept()
        (accepted,) = bob.commands()
        assert accepted.response.headers.get("Refer-Sub") == "false"
        bob.refer.notify(200)
        assert bob.commands() == []

    def test_it_is_refused(self):
        bob = Receiver()
        bob.refer.reject()
        (refusal,) = bob.commands()
        assert refusal.response.status == 603
        bob.refer.notify(200)
        assert bob.commands() == []

    @pytest.mark.parametrize("status", [200, 481])
    def test_a_refused_notify_ends_it(self, status):
        bob = Receiver()
        bob.refer.accept()
        bob.refer.receive_response(answer_to(make_request("NOTIFY"), status), now=0)
        assert bob.refer.is_over == (status == 481)

    def test_a_lost_notify_ends_it(self):
        bob = Receiver()
        bob.refer.accept()
        bob.refer.transaction_failed(408)
        assert bob.refer.is_over

    @pytest.mark.parametrize(
        "headers",
        [
            (("Subject", "x"),),
            (("Refer-To", TARGET), ("Refer-To", TARGET)),
            (("Refer-To", "<>"),),
        ],
    )
    def test_without_one_readable_target_there_is_no_refer(self, headers):
        with pytest.raises(RemoteProtocolError):
            Receiver(*headers)


def test_progress_is_a_value():
    assert ReferProgress("refer", 202, False) == ReferProgress("refer", 202, False)


sent = st.lists(
    st.tuples(
        st.sampled_from(["answer", "notify", "bye", "fail", "timer"]),
        st.sampled_from([100, 180, 202, 200, 403, 486, 603]),
        st.sampled_from([ACTIVE, TERMINATED, "", "pending", ";;"]),
        st.floats(0, 40),
    ),
    max_size=15,
)


@given(steps=sent)
def test_any_order_of_events_is_told_to_one_end(steps):
    alice, now, told = Sender(), 0.0, []
    for verb, status, state, wait in steps:
        now += wait
        match verb:
            case "answer":
                alice.answered(status, now=now)
            case "notify":  # each is answered, whenever it comes: the helper asserts it
                alice.notify(write_sipfrag(status), state, now=now)
            case "bye":
                alice.refer.receive_bye()
            case "fail":
                alice.refer.transaction_failed(408)
            case _:
                alice.refer.handle_timer(now=now)
        over = alice.refer.is_final
        told += alice.told()
        assert alice.refer.messages_to_send() == []
        assert not (over and alice.refer.get_timer())
    assert [final for *_, final in told[:-1]] == [False] * len(told[:-1])  # nothing after the end
    assert alice.refer.is_final == bool(told and told[-1][2])
    if alice.refer.get_timer() is not None:  # whoever waits, waits no longer than this
        alice.refer.handle_timer(now=now + 31)
        assert alice.told() == [("notify", 0, True)]


received = st.lists(
    st.tuples(
        st.sampled_from(["notify", "last", "answer", "fail"]),
        st.sampled_from([100, 180, 200, 486]),
    ),
    max_size=12,
)


@given(steps=received, silent=st.booleans())
def test_any_order_of_news_ends_with_one_last_notify(steps, silent):
    bob = Receiver(("Refer-To", TARGET), *([("Refer-Sub", "false")] if silent else []))
    bob.refer.accept()
    for verb, status in steps:
        match verb:
            case "notify" | "last":
                bob.refer.notify(status, final=verb == "last")
            case "answer":
                answer = answer_to(make_request("NOTIFY"), max(status, 200))
                bob.refer.receive_response(answer, now=0.0)
            case _:
                bob.refer.transaction_failed(408)
    accepted, *notifies = bob.commands()
    assert accepted.response.status == 202
    states = [command.request.headers.get("Subscription-State") for command in notifies]
    assert states == [] if silent else states[0] == ACTIVE
    assert set(states[:-1]) <= {ACTIVE}
    numbers = [command.request.cseq.number for command in notifies]
    assert numbers == sorted(set(numbers))
    if states[-1:] == [TERMINATED]:
        assert bob.refer.is_over
