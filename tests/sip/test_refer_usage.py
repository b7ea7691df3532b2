import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.sip.refer_usage import (
    ReferProgress,
    read_sipfrag,
    write_sipfrag,
)
from tests.fakes.refers import ACTIVE, TARGET, TERMINATED, Sender
from tests.fakes.run_until import run_until
from tests.fakes.sip_exchange import make_request


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

    @pytest.mark.parametrize("body", [b"", b"SIP/2.0 100 Trying", b"SIP/2.0 180 Ringing"])
    def test_a_notify_that_is_not_final_gives_no_more_time(self, body):
        alice = Sender(patience=5.0)
        alice.answered(202, now=0)
        alice.notify(body, now=4)
        assert alice.refer.get_timer() == 5

    def test_a_notify_that_comes_before_the_202_begins_the_time(self):
        alice = Sender(patience=5.0)
        alice.notify(b"SIP/2.0 100 Trying", now=1)
        alice.answered(202, now=3)
        assert alice.refer.get_timer() == 6

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
