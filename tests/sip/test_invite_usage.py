"""The session within a dialog: each role's states, races, offers and answers."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from opensip.errors import LocalProtocolError
from opensip.sip.dialog import DialogState
from opensip.sip.invite_events import (
    Acknowledged,
    Ended,
    ReinviteCancelled,
    Reinvited,
    ReinviteDue,
    ReinviteReceived,
    ReinviteRefused,
    RequestReceived,
    State,
    Updated,
    UpdateDue,
    UpdateRefused,
)
from opensip.sip.invite_usage import InviteUsage
from opensip.sip.transaction import TransactionKey
from opensip.sip.transaction.matching import key_of_request
from opensip.sip.usage import Acknowledge, Ask, Respond
from tests.fakes.run_until import run_until
from tests.fakes.sip_callee import Callee
from tests.fakes.sip_exchange import make_request

BYE_BY_US = Ended("local", "bye")


class TestFirstInvite:
    def test_it_is_answered(self):
        bob = Callee()
        bob.usage.provisional(100, now=0)
        bob.usage.provisional(180, now=0)
        bob.usage.provisional(183, body=b"early", now=0)
        assert bob.statuses() == [100, 180, 183]
        bob.usage.answer(b"answer", headers=[("Allow", "BYE")], now=2)
        (command,) = bob.commands()
        assert command.key == bob.key
        assert command.response.body == b"answer"
        assert command.response.headers.get("Allow") == "BYE"
        assert bob.usage.state is State.ESTABLISHED
        assert bob.usage.dialog.state is DialogState.CONFIRMED
        bob.usage.provisional(180, now=0)
        bob.usage.answer(b"again", now=2)
        assert bob.commands() == []

    def test_the_2xx_is_sent_until_the_ack_comes(self):
        bob = Callee()
        bob.usage.answer(b"answer", now=0)
        (ok,) = bob.commands()
        assert run_until(bob.usage, 4) == [(0.5, ok), (1.5, ok), (3.5, ok)]
        bob.ack(cseq=9, now=4)
        assert bob.events() == []
        bob.ack(now=4)
        bob.ack(now=5)
        assert bob.events() == [Acknowledged(b"", offered=False)]
        assert bob.usage.get_timer() is None

    def test_without_an_ack_it_is_ended_after_64_t1(self):
        bob = Callee()
        bob.usage.answer(b"answer", now=0)
        bob.commands()
        sent = run_until(bob.usage, 40)
        assert [at for at, _ in sent][:-1] == [
            0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5,
        ]  # fmt: skip
        at, last = sent[-1]
        assert (at, last.request.method) == (32, "BYE")
        assert bob.events() == [Ended("lost", "no ACK")]
        assert bob.usage.state is State.ENDING

    def test_a_delayed_offer_is_answered_in_the_ack(self):
        bob = Callee(body=b"")
        bob.usage.answer(b"our offer", now=0)
        bob.ack(body=b"their answer")
        assert bob.events() == [Acknowledged(b"their answer", offered=True)]

    def test_it_is_rejected(self):
        bob = Callee()
        bob.usage.reject(486, "Busy", headers=[("Retry-After", "9")])
        bob.usage.reject(603)
        assert bob.statuses() == [486]
        assert bob.events() == [Ended("local", "rejected", 486)]
        assert bob.usage.state is State.ENDED

    def test_it_is_cancelled(self):
        bob, cancel = Callee(), make_request("CANCEL")
        bob.usage.receive_cancel(cancel)
        bob.usage.receive_cancel(cancel)
        assert bob.statuses() == [487]
        assert bob.events() == [Ended("remote", "cancelled", 487, cancel)]
        bob.usage.answer(b"too late", now=1)
        assert bob.commands() == []

    def test_bye_of_the_caller_before_the_answer(self):
        bob = Callee()
        bye = bob.request("BYE")
        assert bob.statuses() == [200, 487]
        assert bob.events() == [Ended("remote", "bye", None, bye)]

    def test_our_bye_before_the_answer_is_a_refusal(self):
        bob = Callee()
        bob.usage.bye()
        assert bob.statuses() == [603]
        assert bob.events() == [Ended("local", "rejected", 603)]

    def test_its_transport_fails(self):
        bob = Callee()
        bob.usage.transaction_failed(bob.key, 503)
        assert bob.commands() == []
        assert bob.events() == [Ended("lost", "INVITE: 503")]

    def test_a_second_invite_before_the_answer_comes_too_soon(self):
        bob = Callee(random=0.99)
        bob.request("INVITE")
        (command,) = bob.commands()
        assert command.response.status == 500
        assert command.response.headers.get("Retry-After") == "10"


class TestBye:
    def test_ours_ends_the_session_at_once_and_the_usage_with_its_answer(self):
        bob = Callee().established()
        bob.usage.bye(headers=[("Reason", "Q.850;cause=16")])
        assert bob.events() == [BYE_BY_US]
        bye = bob.asked()
        assert bye.headers.get("Reason") == "Q.850;cause=16"
        assert bob.usage.state is State.ENDING
        bob.usage.bye()
        bob.usage.lose("x")
        bob.answered(bye, 100)
        assert bob.usage.state is State.ENDING
        bob.answered(bye, 481)
        assert bob.usage.state is State.ENDED
        assert bob.commands() == bob.events() == []

    def test_ours_stays_without_an_answer(self):
        bob = Callee().established()
        bob.usage.bye()
        key = key_of_request(make_request("BYE"))._replace(side="client")
        bob.usage.transaction_failed(key, 408)
        assert bob.usage.state is State.ENDED

    def test_ours_waits_for_the_ack(self):
        bob = Callee()
        bob.usage.answer(b"answer", now=0)
        bob.commands()
        bob.usage.bye(headers=[("Reason", "SIP")])
        bob.usage.bye()
        assert bob.commands() == bob.events() == []
        with pytest.raises(LocalProtocolError):
            bob.usage.reinvite(b"offer", now=0)
        bob.ack()
        assert bob.asked().headers.get("Reason") == "SIP"
        assert bob.events() == [Acknowledged(b"", offered=False), BYE_BY_US]

    def test_ours_waits_no_longer_than_64_t1(self):
        bob = Callee()
        bob.usage.answer(b"answer", now=0)
        bob.usage.bye()
        bob.commands()
        assert run_until(bob.usage, 40)[-1][0] == 32
        assert bob.events() == [BYE_BY_US]

    def test_theirs_is_answered_even_without_the_ack(self):
        bob = Callee()
        bob.usage.answer(b"answer", now=0)
        bob.commands()
        bye = bob.request("BYE")
        assert bob.statuses() == [200]
        assert bob.events() == [Ended("remote", "bye", None, bye)]
        assert bob.usage.get_timer() is None

    def test_both_at_once(self):
        bob = Callee().established()
        bob.usage.bye()
        ours = bob.asked()
        bob.request("BYE")
        assert bob.statuses() == [200]
        assert bob.events() == [BYE_BY_US]
        bob.answered(ours, 200)
        assert bob.usage.state is State.ENDED

    def test_after_the_end_nothing_is_there(self):
        bob = Callee().established()
        bob.request("BYE")
        bob.commands(), bob.events()
        bob.request("BYE")
        bob.request("INVITE")
        assert bob.statuses() == [481, 481]
        assert bob.events() == []

    def test_a_reinvite_after_our_bye_gets_481(self):
        bob = Callee().established()
        bob.usage.bye()
        bob.commands()
        bob.request("INVITE", body=b"offer")
        assert bob.statuses() == [481]

    def test_a_challenge_is_answered_once(self):
        credentials = iter([[("Authorization", "Digest x")], None])
        bob = Callee(authorize=lambda request, response: next(credentials)).established()
        bob.usage.bye()
        first = bob.asked()
        bob.answered(first, 401)
        again = bob.asked()
        assert again.headers.get("Authorization") == "Digest x"
        assert again.cseq.number == first.cseq.number + 1
        bob.answered(again, 401)
        assert bob.commands() == []
        assert bob.usage.state is State.ENDED

    def test_a_session_that_is_lost_is_ended(self):
        bob = Callee().established()
        bob.usage.lose("no media")
        assert bob.asked().method == "BYE"
        assert bob.events() == [Ended("lost", "no media")]


class TestPeersReinvite:
    def test_it_is_answered_and_acknowledged(self):
        bob = Callee().established()
        request = bob.request("INVITE", body=b"hold", now=5)
        assert bob.events() == [ReinviteReceived(request, b"hold")]
        bob.usage.answer(b"held", now=5)
        assert bob.statuses() == [200]
        assert bob.usage.get_timer() == 5.5
        bob.ack(now=5.1)
        assert bob.events() == [Acknowledged(b"", offered=False)]

    def test_without_an_offer_we_make_one(self):
        bob = Callee().established()
        bob.request("INVITE")
        bob.events()
        bob.usage.answer(b"our offer", now=5)
        bob.ack(body=b"their answer")
        assert bob.events() == [Acknowledged(b"their answer", offered=True)]

    def test_a_refusal_leaves_the_session_alone(self):
        bob = Callee().established()
        bob.request("INVITE", body=b"video")
        bob.events()
        bob.usage.reject(488)
        assert bob.statuses() == [488]
        assert bob.events() == []
        assert bob.usage.state is State.ESTABLISHED

    def test_it_is_cancelled(self):
        bob = Callee().established()
        bob.request("INVITE", body=b"hold")
        bob.events()
        bob.usage.receive_cancel()
        assert bob.statuses() == [487]
        assert bob.events() == [ReinviteCancelled()]

    def test_bye_ends_one_that_waits(self):
        bob = Callee().established()
        bob.request("INVITE", body=b"hold")
        bob.usage.bye()
        commands = bob.commands()
        assert commands[0].response.status == 487
        assert commands[1].request.method == "BYE"

    def test_its_transport_fails(self):
        bob = Callee().established()
        request = bob.request("INVITE", body=b"hold")
        bob.events()
        bob.usage.transaction_failed(key_of_request(request), 503)
        assert bob.asked().method == "BYE"
        assert bob.events() == [Ended("lost", "INVITE: 503")]

    def test_failure_of_another_server_transaction_is_nothing(self):
        bob = Callee().established()
        bob.usage.transaction_failed(key_of_request(make_request("INFO")), 503)
        assert bob.events() == []

    def test_before_the_ack_of_an_accepted_offer_it_stands_for_the_ack(self):
        bob = Callee()
        bob.usage.answer(b"answer", now=0)
        bob.commands()
        request = bob.request("INVITE", body=b"hold")
        assert bob.events() == [
            Acknowledged(b"", offered=False),
            ReinviteReceived(request, b"hold"),
        ]
        assert bob.usage.get_timer() is None

    def test_before_the_answer_to_our_offer_it_gets_491(self):
        bob = Callee(body=b"")
        bob.usage.answer(b"our offer", now=0)
        bob.commands()
        bob.request("INVITE", body=b"hold")
        assert bob.statuses() == [491]
        assert bob.events() == []

    def test_while_a_bye_waits_for_the_ack_it_lets_the_bye_go(self):
        bob = Callee()
        bob.usage.answer(b"answer", now=0)
        bob.usage.bye()
        bob.commands()
        bob.request("INVITE", body=b"hold")
        bye, refusal = bob.commands()
        assert bye.request.method == "BYE"
        assert refusal.response.status == 487

    def test_an_overtaken_one_gets_500(self):
        bob = Callee().established()
        bob.request("INFO", cseq=9)
        bob.request("INVITE", cseq=5)
        assert bob.statuses() == [500]

    def test_other_requests_are_passed_on(self):
        bob = Callee().established()
        info = bob.request("INFO", body=b"5")
        assert bob.events() == [RequestReceived(key_of_request(info), info)]
        assert bob.commands() == []


class TestOurReinvite:
    def test_it_is_accepted_and_each_2xx_acknowledged(self):
        bob = Callee().established()
        bob.usage.reinvite(b"offer", headers=[("Subject", "x")], now=1)
        request = bob.asked()
        assert (request.method, request.body) == ("INVITE", b"offer")
        bob.answered(request, 100)
        bob.answered(request, 200, body=b"answer")
        (event,) = bob.events()
        assert isinstance(event, Reinvited)
        assert event.body == b"answer"
        bob.answered(request, 200, body=b"answer")
        first, second = bob.commands()
        assert first == second
        assert isinstance(first, Acknowledge)
        assert first.request.cseq.number == request.cseq.number
        assert bob.events() == []

    def test_without_an_offer_the_ack_answers(self):
        bob = Callee().established()
        bob.usage.reinvite(b"", now=1)
        request = bob.asked()
        bob.answered(request, 200, body=b"their offer")
        bob.answered(request, 200, body=b"their offer")
        assert bob.commands() == []
        assert [e.body for e in bob.events()] == [b"their offer"]
        bob.request("INVITE", body=b"glare")
        assert bob.statuses() == [491]
        bob.usage.acknowledge(b"our answer")
        bob.usage.acknowledge(b"twice")
        (command,) = bob.commands()
        assert command.request.body == b"our answer"

    def test_bye_acknowledges_the_offer_that_waits(self):
        bob = Callee().established()
        bob.usage.reinvite(b"", now=1)
        bob.answered(bob.asked(), 200, body=b"their offer")
        bob.usage.bye()
        ack, bye = bob.commands()
        assert (ack.request.method, bye.request.method) == ("ACK", "BYE")

    def test_a_2xx_after_our_bye_is_acknowledged(self):
        bob = Callee().established()
        bob.usage.reinvite(b"", now=1)
        request = bob.asked()
        bob.usage.bye()
        bob.commands(), bob.events()
        bob.answered(request, 200, body=b"their offer")
        assert [c.request.method for c in bob.commands()] == ["ACK"]
        assert bob.events() == []

    def test_a_failure_after_our_bye_is_nothing(self):
        bob = Callee().established()
        bob.usage.reinvite(b"offer", now=1)
        request = bob.asked()
        bob.usage.bye()
        bob.commands(), bob.events()
        bob.answered(request, 487)
        assert bob.commands() == bob.events() == []

    def test_a_refusal_leaves_the_session_alone(self):
        bob = Callee().established()
        bob.usage.reinvite(b"offer", now=1)
        bob.answered(bob.asked(), 488)
        (event,) = bob.events()
        assert isinstance(event, ReinviteRefused)
        assert event.response.status == 488
        assert bob.usage.state is State.ESTABLISHED

    @pytest.mark.parametrize("status", [408, 481])
    def test_a_peer_that_knows_nothing_of_it_is_lost(self, status):
        bob = Callee().established()
        bob.usage.reinvite(b"offer", now=1)
        bob.answered(bob.asked(), status)
        assert bob.asked().method == "BYE"
        assert bob.events() == [Ended("lost", f"re-INVITE: {status}")]

    def test_nobody_answers(self):
        bob = Callee().established()
        bob.usage.reinvite(b"offer", now=1)
        bob.asked()
        key = bob.key._replace(side="client")
        bob.usage.transaction_failed(key, 408)
        bob.usage.transaction_failed(key, 408)
        assert bob.asked().method == "BYE"
        assert bob.events() == [Ended("lost", "re-INVITE: 408")]

    @pytest.mark.parametrize("owner", [True, False])
    @pytest.mark.parametrize("random", [0.0, 0.5, 0.999])
    def test_after_a_collision_it_is_due_within_the_right_window(self, owner, random):
        bob = Callee()
        usage = bob.usage = InviteUsage(bob.usage.dialog, owner=owner, random=lambda: random)
        usage.reinvite(b"offer", now=10)
        bob.answered(bob.asked(), 491, now=10)
        assert bob.events() == []
        pause = usage.get_timer() - 10
        low, high = (2.1, 4.0) if owner else (0.0, 2.0)
        assert low - 1e-9 <= pause <= high + 1e-9
        assert pause == pytest.approx(low + (high - low) * random, abs=0.006)
        usage.reinvite(b"too soon", now=10)
        assert bob.commands() == []
        usage.handle_timer(now=usage.get_timer())
        assert bob.events() == [ReinviteDue()]
        usage.reinvite(b"offer", now=15)
        assert bob.asked().body == b"offer"

    def test_theirs_during_ours_gets_491(self):
        bob = Callee().established()
        bob.usage.reinvite(b"offer", now=1)
        bob.asked()
        bob.request("INVITE", body=b"hold")
        assert bob.statuses() == [491]

    def test_ours_during_theirs_is_due_when_theirs_is_over(self):
        bob = Callee().established()
        bob.request("INVITE", body=b"hold")
        bob.events()
        bob.usage.reinvite(b"offer", now=1)
        assert bob.commands() == []
        bob.usage.answer(b"held", now=1)
        assert bob.events() == []
        bob.ack()
        assert bob.events() == [Acknowledged(b"", offered=False), ReinviteDue()]

    def test_ours_during_ours_is_due_later(self):
        bob = Callee().established()
        bob.usage.reinvite(b"one", now=1)
        request = bob.asked()
        bob.usage.reinvite(b"two", now=1)
        assert bob.commands() == []
        bob.answered(request, 200, body=b"answer")
        assert [type(e) for e in bob.events()] == [Reinvited, ReinviteDue]

    def test_the_pause_after_a_collision_waits_for_theirs(self):
        bob = Callee().established()
        bob.usage.reinvite(b"offer", now=1)
        bob.answered(bob.asked(), 491, now=1)
        bob.request("INVITE", body=b"hold", now=1.5)
        bob.usage.handle_timer(now=bob.usage.get_timer())
        assert [type(e) for e in bob.events()] == [ReinviteReceived]
        bob.usage.answer(b"held", now=2.5)
        bob.ack(now=2.6)
        assert ReinviteDue() in bob.events()

    def test_before_the_session_there_is_none(self):
        with pytest.raises(LocalProtocolError, match="EARLY"):
            Callee().usage.reinvite(b"offer", now=0)

    def test_a_challenge_is_answered_and_the_ack_has_the_credentials(self):
        bob = Callee(authorize=lambda req, resp: [("Authorization", "Digest x")]).established()
        bob.usage.reinvite(b"offer", now=1)
        first = bob.asked()
        bob.answered(first, 407)
        again = bob.asked()
        assert again.cseq.number == first.cseq.number + 1
        assert bob.events() == []
        bob.answered(again, 200, body=b"answer")
        (ack,) = bob.commands()
        assert ack.request.headers.get("Authorization") == "Digest x"

    def test_acks_of_long_ago_are_not_kept(self):
        bob = Callee().established()
        requests = []
        for _ in range(6):
            bob.usage.reinvite(b"offer", now=1)
            requests.append(bob.asked())
            bob.answered(requests[-1], 200, body=b"answer")
            bob.commands(), bob.events()
        bob.answered(requests[0], 200)
        assert bob.commands() == []
        bob.answered(requests[2], 200)
        assert len(bob.commands()) == 1

    def test_responses_of_other_requests_are_not_ours(self):
        bob = Callee().established()
        bob.answered(make_request("INFO", cseq=1), 200)
        bob.answered(make_request("INVITE", cseq=99), 200)
        assert bob.commands() == bob.events() == []


TIMED = (("Supported", "timer"), ("Session-Expires", "90;refresher=uac"))
WITH_UPDATE = (("Allow", "INVITE, UPDATE"),)
CAPABLE = (("Supported", "timer"),)


class TestOurUpdate:
    def test_it_offers_and_is_answered(self):
        bob = Callee(headers=WITH_UPDATE, capabilities=CAPABLE).established()
        assert bob.usage.can_update
        bob.usage.update(b"hold", headers=[("X-Own", "y")], now=2)
        update = bob.asked()
        assert (update.method, update.body) == ("UPDATE", b"hold")
        assert update.headers.get("Supported") == "timer"
        assert update.headers.get("Session-Expires") == "1800"
        bob.answered(update, 200, body=b"held")
        (event,) = bob.events()
        assert event == Updated(event.response, b"held")

    def test_a_refusal_is_told(self):
        bob = Callee().established()
        assert not bob.usage.can_update
        bob.usage.update(b"hold", now=2)
        bob.answered(bob.asked(), 488)
        (event,) = bob.events()
        assert isinstance(event, UpdateRefused)

    def test_it_waits_for_what_is_under_way(self):
        bob = Callee().established()
        bob.usage.reinvite(b"offer", now=2)
        reinvite = bob.asked()
        bob.usage.update(b"hold", now=2)
        assert bob.commands() == []
        bob.answered(reinvite, 200, body=b"answer")
        reinvited, due = bob.events()
        assert isinstance(reinvited, Reinvited)
        assert due == UpdateDue()

    def test_one_at_a_time(self):
        bob = Callee().established()
        bob.usage.update(now=2)
        update = bob.asked()
        bob.usage.update(now=2)
        bob.usage.update(b"hold", now=2)
        assert bob.commands() == []
        bob.answered(update, 200)
        assert bob.events() == [UpdateDue()]

    def test_after_a_collision_it_is_due_again(self):
        bob = Callee().established()
        bob.usage.update(b"hold", now=2)
        bob.answered(bob.asked(), 491, now=2)
        bob.usage.update(b"hold", now=2)
        assert bob.commands() == []
        assert bob.usage.get_timer() == 3
        bob.usage.handle_timer(now=3)
        assert bob.events() == [UpdateDue()]

    @pytest.mark.parametrize("status", [408, 481])
    def test_a_peer_that_knows_the_call_no_more(self, status):
        bob = Callee().established()
        bob.usage.update(b"hold", now=2)
        bob.answered(bob.asked(), status)
        assert bob.events() == [Ended("lost", f"UPDATE: {status}")]

    def test_a_peer_that_does_not_answer(self):
        bob = Callee().established()
        bob.usage.update(b"hold", now=2)
        bob.usage.transaction_failed(TransactionKey("client", "b", "UPDATE"), 408)
        assert bob.events() == [Ended("lost", "UPDATE: 408")]
        bob.usage.transaction_failed(TransactionKey("client", "b", "INFO"), 408)

    def test_not_before_the_session(self):
        with pytest.raises(LocalProtocolError):
            Callee().usage.update(b"hold", now=2)

    def test_a_response_of_another_method_is_let_go_by(self):
        bob = Callee().established()
        bob.answered(make_request("INFO", cseq=2), 200)
        assert bob.events() == []


class TestSessionTimer:
    def test_what_was_asked_for_is_agreed(self):
        bob = Callee(headers=TIMED)
        bob.usage.answer(b"answer", now=0)
        (ok,) = bob.responses()
        assert ok.headers.get("Session-Expires") == "90;refresher=uac"
        assert ok.headers.get("Require") == "timer"

    def test_a_refresh_that_stays_away_ends_the_call(self):
        bob = Callee(headers=TIMED).established()
        bob.request("UPDATE", headers=TIMED, now=30)
        (ok,) = bob.responses()
        assert ok.headers.get("Session-Expires") == "90;refresher=uac"
        assert bob.usage.get_timer() == 90
        bob.usage.handle_timer(now=90)
        assert bob.events() == [Ended("lost", "session expired")]
        assert bob.asked().method == "BYE"

    def test_a_refresh_by_invite_counts_too(self):
        bob = Callee(headers=TIMED).established()
        bob.request("INVITE", headers=TIMED, body=b"offer", now=30)
        bob.usage.answer(b"answer", now=30)
        bob.ack(now=30)
        assert bob.usage.get_timer() == 90

    def test_we_refresh_by_update_where_the_peer_takes_it(self):
        headers = (*WITH_UPDATE, ("Supported", "timer"), ("Session-Expires", "90;refresher=uas"))
        bob = Callee(headers=headers).established()
        bob.usage.handle_timer(now=45)
        update = bob.asked()
        assert (update.method, update.body) == ("UPDATE", b"")
        assert update.headers.get("Session-Expires") == "90;refresher=uac"
        bob.answered(update, 200, headers=(("Session-Expires", "90;refresher=uac"),), now=46)
        assert bob.events() == []
        assert bob.usage.get_timer() == 91

    def test_else_by_invite(self):
        headers = (("Supported", "timer"), ("Session-Expires", "90;refresher=uas"))
        bob = Callee(headers=headers).established()
        bob.usage.handle_timer(now=45)
        assert bob.events() == [ReinviteDue()]
        bob.usage.reinvite(b"offer", now=45)
        bob.answered(bob.asked(), 200, headers=(("Session-Expires", "90;refresher=uac"),), now=46)
        assert bob.usage.get_timer() == 91

    def test_a_peer_that_takes_no_update_after_all(self):
        headers = (*WITH_UPDATE, ("Supported", "timer"), ("Session-Expires", "90;refresher=uas"))
        bob = Callee(headers=headers).established()
        bob.usage.handle_timer(now=45)
        bob.answered(bob.asked(), 405, now=46)
        assert bob.events() == [ReinviteDue()]

    def test_a_refused_refresh_is_tried_again(self):
        headers = (*WITH_UPDATE, ("Supported", "timer"), ("Session-Expires", "90;refresher=uas"))
        bob = Callee(headers=headers).established()
        bob.usage.handle_timer(now=45)
        bob.answered(bob.asked(), 500, headers=(("Retry-After", "5"),), now=46)
        assert bob.events() == []
        assert bob.usage.get_timer() == 51
        bob.usage.handle_timer(now=51)
        assert bob.asked().method == "UPDATE"

    def test_a_reinvite_that_is_too_short_is_asked_again_longer(self):
        bob = Callee(headers=TIMED).established()
        bob.usage.reinvite(b"offer", now=2)
        bob.answered(bob.asked(), 422, headers=(("Min-SE", "120"),))
        again = bob.asked()
        assert again.headers.get("Session-Expires") == "120;refresher=uas"
        assert again.headers.get("Min-SE") == "120"

    @pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
    def test_what_is_too_short_for_us_is_422(self, method):
        bob = Callee(headers=TIMED).established()
        bob.request(method, headers=(("Supported", "timer"), ("Session-Expires", "60")))
        (refusal,) = bob.responses()
        assert (refusal.status, refusal.headers.get("Min-SE")) == (422, "90")
        assert bob.events() == []


class AnyOrder(RuleBasedStateMachine):
    """Both sides do anything at any time; the usage stays sound."""

    def __init__(self):
        super().__init__()
        self.now = 0.0
        self.bob = Callee(headers=(("Supported", "100rel, timer"),))
        self.told = []
        self.open = {1}  # CSeq numbers of INVITEs that have no final response yet
        self.asked = []
        self.offers = set()

    def _take(self):
        for command in self.bob.commands():
            match command:
                case Respond(_, response):
                    if response.cseq.method == "INVITE" and response.status >= 200:
                        again = response.status < 300
                        assert response.cseq.number in self.open or again
                        self.open.discard(response.cseq.number)
                case Ask(request):
                    self.asked.append(request)
                    assert request.method in ("INVITE", "UPDATE", "BYE")
                case Acknowledge(request):
                    assert request.method == "ACK"
        self.told += self.bob.events()

    @rule(seconds=st.floats(0.01, 20))
    def wait(self, seconds):
        end = self.now + seconds
        while (at := self.bob.usage.get_timer()) is not None and at <= end:
            self.now = max(self.now, at)
            self.bob.usage.handle_timer(now=self.now)
        self.now = end
        self._take()

    @rule(body=st.sampled_from([b"", b"offer"]))
    def peer_invites(self, body):
        self.bob.request("INVITE", body=body, now=self.now)
        self.open.add(self.bob.cseq)
        self._take()

    @rule(
        method=st.sampled_from(["UPDATE", "PRACK"]),
        body=st.sampled_from([b"", b"offer"]),
        rseq=st.integers(2**30, 2**30 + 1),
    )
    def peer_changes(self, method, body, rseq):
        headers = (("RAck", f"{rseq} 1 INVITE"),)
        self.bob.request(method, body=body, headers=headers, now=self.now)
        self._take()

    @rule(act=st.sampled_from(["answer", "refuse", "ring", "update", "hold"]))
    def we_change(self, act):
        usage = self.bob.usage
        try:
            match act:
                case "answer":
                    usage.answer_offer(b"answer", now=self.now)
                case "refuse":
                    usage.refuse_offer(488, now=self.now)
                case "ring":
                    usage.provisional(183, body=b"early", reliable=True, now=self.now)
                case "update":
                    usage.update(now=self.now)
                case _:
                    usage.update(b"hold", now=self.now)
        except LocalProtocolError:
            assert usage.state is not State.ESTABLISHED or usage._bye_wanted is not None
        self._take()

    @rule(method=st.sampled_from(["BYE", "INFO"]))
    def peer_asks(self, method):
        self.bob.request(method, now=self.now)
        self._take()

    @rule(back=st.integers(0, 3), body=st.sampled_from([b"", b"answer"]))
    def peer_acknowledges(self, back, body):
        self.bob.ack(cseq=max(1, self.bob.cseq - back), body=body, now=self.now)
        self._take()

    @rule()
    def peer_cancels(self):
        self.bob.usage.receive_cancel()
        self._take()

    @rule(status=st.sampled_from([100, 200, 401, 408, 481, 488, 491]), back=st.integers(0, 2))
    @precondition(lambda self: self.asked)
    def peer_answers(self, status, back):
        request = self.asked[max(0, len(self.asked) - 1 - back)]
        self.bob.answered(request, status, body=b"body", now=self.now)
        self._take()

    @rule(act=st.sampled_from(["answer", "reject", "bye", "lose", "acknowledge", "provisional"]))
    def we(self, act):
        usage = self.bob.usage
        match act:
            case "answer":
                usage.answer(b"answer", now=self.now)
            case "reject":
                usage.reject(488)
            case "bye":
                usage.bye()
            case "lose":
                usage.lose("test")
            case "acknowledge":
                usage.acknowledge(b"answer")
            case _:
                usage.provisional(180, now=0)
        self._take()

    @rule(body=st.sampled_from([b"", b"offer"]))
    def we_reinvite(self, body):
        try:
            self.bob.usage.reinvite(body, now=self.now)
        except LocalProtocolError:
            usage = self.bob.usage
            assert usage.state is not State.ESTABLISHED or usage._bye_wanted is not None
        self._take()

    @invariant()
    def it_ends_once(self):
        ended = [e for e in self.told if isinstance(e, Ended)]
        over = self.bob.usage.state in (State.ENDING, State.ENDED)
        assert len(ended) == over
        assert not over or self.bob.usage.get_timer() is None

    @invariant()
    def one_bye_at_most(self):
        assert sum(r.method == "BYE" for r in self.asked) <= 1

    @invariant()
    def after_the_end_no_invite_is_left_without_an_answer(self):
        if self.bob.usage.state in (State.ENDING, State.ENDED):
            assert not self.open

    @invariant()
    def an_early_usage_has_one_invite(self):
        assert (self.bob.usage.state is not State.EARLY) or 1 in self.open


AnyOrder.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestAnyOrder = AnyOrder.TestCase
