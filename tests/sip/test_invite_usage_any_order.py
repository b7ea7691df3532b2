"""A usage under whatever both sides may do, in whatever order."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from opensip.errors import LocalProtocolError
from opensip.sip.invite_events import (
    Ended,
    State,
)
from opensip.sip.usage import Acknowledge, Ask, Respond
from tests.fakes.sip_callee import Callee


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
