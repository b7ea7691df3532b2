"""One session, as the called side, and what its peer does."""

from opensip.sip.dialog import Dialog
from opensip.sip.invite_usage import InviteUsage
from opensip.sip.transaction.matching import key_of_request
from opensip.sip.usage import Ask, Respond
from tests.fakes.run_until import events_of
from tests.fakes.sip_exchange import answer_to, make_request

CONTACT = "<sip:bob@192.0.2.2>"


class Callee:
    """A usage that took alice's first INVITE, and what alice does next."""

    def __init__(self, body=b"offer", *, random=0.5, authorize=None, headers=(), **more):
        self.cseq = 1
        self.invite = make_request(body=body, headers=headers)
        self.key = key_of_request(self.invite)
        dialog = Dialog.as_uas(self.invite, local_tag="ours", contact=CONTACT)
        self.usage = InviteUsage.as_uas(
            dialog, self.invite, self.key, random=lambda: random, authorize=authorize, **more
        )

    def established(self):
        self.usage.answer(b"answer", now=0)
        self.ack(now=0)
        self.commands(), self.events()
        return self

    def ack(self, *, cseq=None, body=b"", now=0.0):
        ack = make_request("ACK", cseq=cseq or self.cseq, to_tag="ours", body=body)
        self.usage.receive_ack(ack, now=now)

    def request(self, method, *, cseq=None, body=b"", now=1.0, headers=()):
        self.cseq = cseq or self.cseq + 1
        request = make_request(
            method,
            branch=f"z9hG4bK{self.cseq}{method}",
            cseq=self.cseq,
            to_tag="ours",
            body=body,
            headers=headers,
        )
        self.usage.receive_request(key_of_request(request), request, now=now)
        return request

    def commands(self):
        return self.usage.messages_to_send()

    def statuses(self):
        return [c.response.status for c in self.commands() if isinstance(c, Respond)]

    def responses(self):
        return [c.response for c in self.commands() if isinstance(c, Respond)]

    def events(self):
        return events_of(self.usage)

    def asked(self):
        """The one request that was sent."""
        (command,) = self.commands()
        assert isinstance(command, Ask)
        return command.request

    def answered(self, request, status, *, body=b"", now=1.0, headers=()):
        sent = make_request(
            request.method,
            cseq=request.cseq.number,
            from_tag="ours",
            to_tag="from1",
        )
        self.usage.receive_response(answer_to(sent, status, body=body, headers=headers), now=now)
