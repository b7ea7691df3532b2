"""A REFER of the peer: taken or refused, and followed to its end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import RemoteProtocolError
from tests.fakes.refers import ACTIVE, TARGET, TERMINATED, Receiver
from tests.fakes.sip_exchange import answer_to, make_request


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
