"""A REFER of ours and one of the peer, each with its other end."""

from opensip.sip.dialog import Dialog
from opensip.sip.refer_usage import (
    ReferReceiver,
    ReferSender,
)
from opensip.sip.transaction.matching import key_of_request
from opensip.sip.usage import Respond
from tests.fakes.run_until import events_of
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


class Receiver:
    def __init__(self, *headers):
        fields = headers or (("Refer-To", TARGET),)
        self.request = make_request("REFER", cseq=9, headers=fields)
        self.refer = ReferReceiver(make_dialog(), key_of_request(self.request), self.request)

    def commands(self):
        return self.refer.messages_to_send()
