"""Turning away: what may not come in leaves no state, and gets one answer or none."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable

from opensip.errors import RemoteProtocolError
from opensip.sip.flow import Flow
from opensip.sip.headers import Headers
from opensip.sip.message import Request, refusal_of, response_to
from opensip.sip.transaction.hop import way_back
from opensip.sip.uri import Uri
from opensip.ua.abuse import AbuseGuard, AbuseLimits
from opensip.ua.admission import Admission, Admit, Challenge, Ignore, Refuse, TrunkAdmission
from opensip.ua.options import Refusal
from opensip.ua.refusals import Refusals

# Stands for whatever an address might send, where the message itself cannot be judged.
_BARE = Request("OPTIONS", Uri("sip", host="opensip.invalid"), Headers())


class Gate:
    """Applies `admission`, and answers without a transaction (RFC 3261 section 8.2.7).

    `send` takes the bytes of such an answer.
    """

    def __init__(
        self,
        admission: Admission,
        send: Callable[[bytes, Flow], None],
        limits: AbuseLimits = AbuseLimits(),  # noqa: B008 - frozen
    ) -> None:
        self._admission = admission
        self._guard = AbuseGuard(limits, self.is_known)
        self._send = send
        self._refusals = Refusals()
        self._secret = secrets.token_bytes(16)

    @property
    def counts(self) -> Counter[str]:
        """Count what was turned away, by kind."""
        return self._refusals.counts

    def use(self, admission: Admission) -> None:
        """Let another admission decide from now on: the trunks were read again."""
        self._admission = admission

    def trunk(self, name: str) -> TrunkAdmission:
        """Give the trunk of an `Admit`."""
        return self._admission.trunk(name)

    def is_known(self, source: str) -> bool:
        """Tell whether a source is in the networks of a trunk."""
        return self._admission.is_known(source)

    def is_banned(self, source: str, *, now: float) -> bool:
        """Tell whether a source may not even connect."""
        return self._guard.is_banned(source, now=now)

    def refuse_connection(self, kind: str, source: str, why: str, *, now: float) -> None:
        """Count a connection that was turned away, and log each kind once a minute for a source."""
        self._refusals.note(kind, source, why, now=now)

    def vouch(self, flow: Flow, *, now: float) -> None:
        """Trust a source for a while: it has proved who it is, or we called it."""
        self._guard.vouch(flow.remote[0], now=now)

    def banned(self, *, now: float) -> dict[str, float]:
        """List the banned sources, and for how many seconds they still are."""
        return self._guard.banned(now=now)

    def hears(self, data: bytes, flow: Flow, *, now: float) -> bool:
        """Decide whether a message is read at all: the cheapest test of all."""
        refusal = self._guard.why_not(data, flow.remote[0], now=now)
        if refusal is not None:
            self.note(refusal[0], flow, refusal[1], now=now)
        return refusal is None

    def admit(self, request: Request, flow: Flow, *, now: float) -> Admit | None:
        """Decide on a request outside any dialog; one that is not admitted is dealt with."""
        match self._admission.decide(request, flow, now=now):
            case Admit() as admit:
                if admit.user is not None:
                    self.vouch(flow, now=now)
                return admit
            case Challenge(headers, _, why):
                if why:
                    self.note("challenged", flow, why, now=now)
                self._answer_stranger(request, flow, Refusal(401, tuple(headers)), now)
            case Refuse(status, reason, why):
                self.note("refused", flow, why, now=now)
                self._answer_stranger(request, flow, Refusal(status, (), reason), now)
            case Ignore(why):
                self.note("ignored", flow, why, now=now)
        return None

    def knows(self, flow: Flow, *, now: float) -> bool:
        """Tell whether a source is to be answered at all."""
        return not isinstance(self._admission.decide(_BARE, flow, now=now), Ignore)

    def answers_cancel(self, flow: Flow, *, now: float) -> bool:
        """Tell whether a CANCEL that fits no INVITE is to be answered."""
        if self.knows(flow, now=now):
            return True
        self.note("ignored", flow, "CANCEL of no INVITE", now=now)
        return False

    def refuse_stray(self, request: Request, flow: Flow, *, now: float) -> None:
        """Answer a request of a dialog that is over, or never was."""
        self.note("stray", flow, f"{request.method} of no dialog of ours", now=now)
        if self.knows(flow, now=now):
            self._answer_stranger(request, flow, Refusal(481), now)

    def refuse_bytes(
        self, data: bytes, error: RemoteProtocolError, flow: Flow, *, now: float
    ) -> None:
        """Answer what cannot be read, as far as its header block allows."""
        self.note("malformed", flow, str(error), now=now)
        if data and self.knows(flow, now=now) and self._may_answer(flow, now):
            answer = refusal_of(data, error, to_tag=self._tag(data))
            if answer is not None:
                self._send(answer, flow)

    def answer(self, request: Request, flow: Flow, refusal: Refusal) -> None:
        """Answer a request that is in no transaction."""
        tag = self._tag(f"{request.via.branch} {request.call_id}".encode("utf-8", "replace"))
        response = response_to(
            request, refusal.status, refusal.reason, to_tag=tag, headers=refusal.headers
        )
        self._send(response.to_bytes(), way_back(request, flow))

    def _answer_stranger(self, request: Request, flow: Flow, refusal: Refusal, now: float) -> None:
        if self._may_answer(flow, now):
            self.answer(request, flow, refusal)

    def _may_answer(self, flow: Flow, now: float) -> bool:
        if self._guard.may_answer(flow.remote[0], now=now):
            return True
        self.note("unanswered", flow, "a stranger has had its answers", now=now)
        return False

    def note(self, kind: str, flow: Flow, why: str, *, now: float) -> None:
        """Count a refusal, and log each kind once a minute for a source."""
        self._refusals.note(kind, flow.remote[0], why, now=now)

    def _tag(self, data: bytes) -> str:
        """Make a tag that is the same each time the same request comes (section 8.2.7)."""
        return hashlib.blake2s(data, digest_size=8, key=self._secret).hexdigest()
