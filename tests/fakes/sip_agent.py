"""A user agent of nothing but our layer and usages: what ua/endpoint is, in virtual time."""

import heapq
import random
from collections.abc import Callable
from itertools import count

from opensip.sip.dialog import Dialog, DialogId
from opensip.sip.flow import Flow
from opensip.sip.headers import Headers
from opensip.sip.invite_attempt import InviteAttempt
from opensip.sip.invite_events import Ended, State
from opensip.sip.invite_events import RequestReceived as InDialog
from opensip.sip.invite_usage import InviteUsage
from opensip.sip.message import Request, parse_message, response_to
from opensip.sip.refer_usage import ReferReceiver, ReferSender
from opensip.sip.timers import Timers
from opensip.sip.transaction import (
    AckReceived,
    CancelReceived,
    RequestReceived,
    ResponseReceived,
    TransactionEnded,
    TransactionFailed,
)
from opensip.sip.transaction.layer import TransactionLayer
from opensip.sip.uri import Uri
from opensip.sip.usage import Acknowledge, Ask, Cancel, Respond

CAPABILITIES = (("Allow", "INVITE, UPDATE, PRACK"), ("Supported", "timer"))


class Agent:
    """One end of a `Link`. Plans made with `at` run at their time.

    `events` holds (time, usage, event); `on_invite(usage, request)` is asked for each call.
    """

    def __init__(self, name, flow=None, *, seed=0, timers=None, on_event=None, on_invite=None):
        self.name = name
        self.flow = flow or Flow("UDP", ("192.0.2.1", 5060), ("192.0.2.2", 5060))
        self.host = f"{self.flow.local[0]}:{self.flow.local[1]}"
        self.contact = f"<sip:{name}@{self.host}>"
        self.now = 0.0
        self.timers = timers or Timers()
        self.events = []
        self.refused = []
        self.receivers = []
        self.on_event = on_event or (lambda usage, event: None)
        self.on_invite = on_invite or (lambda usage, request: None)
        self._dice = random.Random(f"{name}{seed}")
        self._serial = count()
        self.layer = TransactionLayer(token=self._token, timers=self.timers)
        self.usages = {}
        self._owners = {}
        self._invites = {}
        self._by_invite = {}
        self._plans = []
        self._alive = []

    def _token(self):
        return f"{self.name}{next(self._serial)}"

    # ---- verbs of the test

    def at(self, when: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._plans, (when, next(self._serial), act))

    def call(self, *, body=b"offer", authorize=None, headers=(), timer=None):
        items = [
            ("Max-Forwards", "70"),
            ("From", f"<sip:{self.name}@{self.host}>;tag={self._token()}"),
            ("To", "<sip:peer@192.0.2.2>"),
            ("Call-ID", self._token()),
            ("CSeq", "1 INVITE"),
            ("Contact", self.contact),
            *headers,
        ]
        request = Request("INVITE", Uri.parse("sip:peer@192.0.2.2"), Headers(items), body)
        attempt = InviteAttempt(
            request,
            contact=self.contact,
            random=self._dice.random,
            timers=self.timers,
            authorize=authorize,
            timer=timer,
            capabilities=CAPABILITIES,
        )
        self._alive.append(attempt)
        self._pump()
        return attempt

    def refer(self, usage, refer_to, **options):
        sender = ReferSender(usage.dialog, refer_to, **options)
        self._alive.append(sender)
        self._pump()
        return sender

    def accept_refer(self, usage, key, request):
        receiver = ReferReceiver(usage.dialog, key, request)
        receiver.accept()
        self._alive.append(receiver)
        self._pump()
        return receiver

    def of(self, usage):
        """The events of one usage, without their times."""
        return [event for _, owner, event in self.events if owner is usage]

    # ---- the core that a Link runs

    def receive(self, data: bytes, *, now: float) -> None:
        self.now = now
        self.layer.receive(parse_message(data), self.flow, now=now)
        self._pump()

    def messages_to_send(self) -> list[bytes]:
        self._pump()
        return [data for _, data in self.layer.messages_to_send()]

    def get_timer(self):
        times = [self.layer.get_timer(), *(u.get_timer() for u in self._timed())]
        if self._plans:
            times.append(self._plans[0][0])
        return min((t for t in times if t is not None), default=None)

    def handle_timer(self, *, now: float) -> None:
        self.now = now
        while self._plans and self._plans[0][0] <= now:
            heapq.heappop(self._plans)[2]()
        self.layer.handle_timer(now=now)
        for usage in self._timed():
            if (at := usage.get_timer()) is not None and at <= now:
                usage.handle_timer(now=now)
        self._pump()

    def _timed(self):
        return [u for u in self._alive if isinstance(u, InviteUsage | ReferSender)]

    # ---- joining layer and usages

    def _pump(self) -> None:
        busy = True
        while busy:
            busy = False
            while (event := self.layer.next_event()) is not None:
                busy = True
                self._dispatch(event)
            for usage in list(self._alive):
                for command in usage.messages_to_send():
                    busy = True
                    self._carry_out(usage, command)
                while (told := usage.next_event()) is not None:
                    busy = True
                    self._told(usage, told)
        for usage in [u for u in self._alive if isinstance(u, InviteUsage)]:
            if usage.state is State.ENDED:
                self._alive.remove(usage)
                self.usages.pop(usage.dialog.id, None)

    def _told(self, usage, event) -> None:
        self.events.append((self.now, usage, event))
        made = getattr(event, "usage", None)
        if made is not None:
            self.usages[made.dialog.id] = made
            self._alive.append(made)
        if isinstance(event, InDialog):
            self._in_dialog(usage, event)
        if isinstance(event, Ended) and event.by == "remote":
            for sender in self._senders(usage):
                sender.receive_bye()
        self.on_event(usage, event)

    def _senders(self, usage):
        senders = [u for u in self._alive if isinstance(u, ReferSender)]
        return [sender for sender in senders if sender.dialog is usage.dialog]

    def _in_dialog(self, usage, event) -> None:
        for sender in self._senders(usage):
            if sender.matches(event.request):
                sender.receive_notify(event.key, event.request, now=self.now)
                return
        if event.request.method == "REFER":
            self.receivers.append(self.accept_refer(usage, event.key, event.request))

    def _carry_out(self, usage, command) -> None:
        match command:
            case Respond(key, response):
                self.layer.respond(key, response, now=self.now)
            case Ask(request):
                key = self.layer.send_request(
                    request, self.flow, via_sent_by=self.host, now=self.now
                )
                self._owners[key] = usage
                if request.method == "INVITE":
                    self._invites[usage] = key
            case Acknowledge(request):
                self.layer.send_stateless(request, self.flow, via_sent_by=self.host)
            case Cancel():
                self.layer.cancel(self._invites[usage], now=self.now)

    def _dispatch(self, event) -> None:
        match event:
            case RequestReceived(key, request):
                self._request(key, request)
            case AckReceived(request):
                if (usage := self._usage_of(request)) is not None:
                    usage.receive_ack(request, now=self.now)
            case CancelReceived(key, request):
                if (usage := self._by_invite.get(key)) is not None:
                    usage.receive_cancel(request)
            case ResponseReceived(key, response):
                if (owner := self._owners.get(key)) is not None:
                    owner.receive_response(response, now=self.now)
            case TransactionFailed(key, status):
                self._failed(key, status)
            case TransactionEnded(key):
                self._owners.pop(key, None)

    def _failed(self, key, status) -> None:
        owner = self._owners.get(key) or self._by_invite.get(key)
        if isinstance(owner, ReferSender | ReferReceiver):
            owner.transaction_failed(status)
        elif owner is not None:
            owner.transaction_failed(key, status)

    def _request(self, key, request) -> None:
        usage = self._usage_of(request)
        if usage is not None:
            if request.method == "INVITE":
                self._by_invite[key] = usage
            usage.receive_request(key, request, now=self.now)
        elif request.method == "INVITE" and request.to.tag is None:
            self._new_call(key, request)
        else:
            self.refused.append(request)
            self.layer.respond(key, response_to(request, 481), now=self.now)

    def _new_call(self, key, request) -> None:
        dialog = Dialog.as_uas(request, local_tag=self._token(), contact=self.contact)
        usage = InviteUsage.as_uas(
            dialog,
            request,
            key,
            random=self._dice.random,
            timers=self.timers,
            capabilities=CAPABILITIES,
        )
        self.usages[dialog.id] = self._by_invite[key] = usage
        self._alive.append(usage)
        self.on_invite(usage, request)

    def _usage_of(self, request):
        ours = DialogId(request.call_id, request.to.tag or "", request.from_.tag or "")
        return self.usages.get(ours)


def pair(**options):
    """Two agents that face each other: the one that calls, the one that is called."""
    there = Flow("UDP", ("192.0.2.2", 5060), ("192.0.2.1", 5060))
    b = {k[2:]: v for k, v in options.items() if k.startswith("b_")}
    a = {k[2:]: v for k, v in options.items() if k.startswith("a_")}
    return Agent("alice", **a), Agent("bob", there, **b)
