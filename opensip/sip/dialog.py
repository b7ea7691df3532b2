"""Dialogs: RFC 3261 section 12."""

import enum
from collections.abc import Iterable
from typing import NamedTuple

from opensip.errors import LocalProtocolError, RemoteProtocolError
from opensip.sip.grammar import split
from opensip.sip.headers import Headers
from opensip.sip.message import Request, Response, response_to
from opensip.sip.uri import NameAddr, Uri

_REFRESHES_TARGET = frozenset({"INVITE", "UPDATE"})  # in a dialog that an INVITE made
# These, and their 1xx and 2xx, must carry Contact.
_WITH_CONTACT = frozenset({"INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER"})
MAX_FORWARDS = "70"


class DialogId(NamedTuple):
    """What a dialog is known by on our side (section 12)."""

    call_id: str
    local_tag: str
    remote_tag: str

    @classmethod
    def of(cls, request: Request) -> "DialogId":
        """Tell which dialog a request of the peer belongs to."""
        return cls(request.call_id, request.to.tag or "", request.from_.tag or "")


class DialogState(enum.Enum):
    """States of section 12."""

    EARLY = enum.auto()
    CONFIRMED = enum.auto()


def asks_for_sips(request: Request) -> bool:
    """Tell whether our Contact in the dialog of a request must be a sips URI.

    Section 12.1.1: it must where the Request-URI is one, or the top Record-Route, or, without
    that, the Contact (RFC 5630 section 5.1.1.1).
    """
    if request.uri.is_secure:
        return True
    if routes := request.headers.get_all("Record-Route"):
        return NameAddr.parse(split(routes[0], ",")[0]).uri.is_secure
    return request.contact is not None and request.contact.uri.is_secure


class Dialog:
    """One dialog: who speaks with whom, by which route, and at which CSeq. Does no I/O.

    `local` and `remote` are From and To of requests that we send, with their tags. `contact`
    is our own Contact value ("<sip:host:port>"). `secure` means that sips must be kept.
    """

    __slots__ = (
        "contact",
        "id",
        "local",
        "local_cseq",
        "remote",
        "remote_cseq",
        "remote_target",
        "route_set",
        "secure",
        "state",
    )

    def __init__(
        self,
        *,
        call_id: str,
        local: NameAddr,
        remote: NameAddr,
        remote_target: Uri,
        route_set: tuple[str, ...],
        contact: str,
        secure: bool,
    ) -> None:
        # A peer of RFC 2543 may have no tag (section 12.1.1): it counts as "".
        self.id = DialogId(call_id, local.tag or "", remote.tag or "")
        self.local = local
        self.remote = remote
        self.remote_target = remote_target
        self.route_set = route_set
        self.contact = contact
        self.secure = secure
        self.local_cseq = 0
        self.remote_cseq: int | None = None
        self.state = DialogState.EARLY

    @classmethod
    def as_uas(cls, request: Request, *, local_tag: str, contact: str) -> "Dialog":
        """Make the dialog of a request that we answer (section 12.1.1); it is early."""
        if request.contact is None:
            raise RemoteProtocolError(f"{request.method} without Contact")
        dialog = cls(
            call_id=request.call_id,
            local=request.to if request.to.tag else request.to.with_tag(local_tag),
            remote=request.from_,
            remote_target=request.contact.uri,
            route_set=request.headers.values("Record-Route"),
            contact=contact,
            secure=request.uri.is_secure,
        )
        dialog.remote_cseq = request.cseq.number
        return dialog

    @classmethod
    def as_uac(cls, request: Request, response: Response, contact: str) -> "Dialog":
        """Make the dialog of a response to our request (section 12.1.2).

        It is confirmed if the response is a 2xx, else early. A response without Contact, as
        some peers send with 18x, leaves the Request-URI as target until a 2xx tells.
        """
        target = response.contact.uri if response.contact else request.uri
        dialog = cls(
            call_id=request.call_id,
            local=request.from_,
            remote=response.to,
            remote_target=target,
            route_set=_reversed_record_route(response),
            contact=contact,
            secure=request.uri.is_secure,
        )
        dialog.local_cseq = request.cseq.number
        if response.status >= 200:
            dialog.state = DialogState.CONFIRMED
        return dialog

    @property
    def next_hop(self) -> Uri:
        """Where requests go: the first of the route set, else the remote target."""
        return NameAddr.parse(self.route_set[0]).uri if self.route_set else self.remote_target

    def confirm(self) -> None:
        """Learn that a 2xx was sent."""
        self.state = DialogState.CONFIRMED

    def create_request(
        self,
        method: str,
        *,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        content_type: str | None = None,
    ) -> Request:
        """Make the next request of ours (section 12.2.1.1), without Via."""
        if method in ("ACK", "CANCEL"):
            raise LocalProtocolError(f"{method} is no new request of a dialog")
        self.local_cseq += 1
        items = [("Contact", self.contact)] if method in _WITH_CONTACT else []
        items.extend(headers)
        return self._make(method, self.local_cseq, items, body, content_type)

    def create_ack(
        self,
        invite_cseq: int,
        body: bytes = b"",
        *,
        headers: Iterable[tuple[str, str]] = (),
        content_type: str | None = None,
    ) -> Request:
        """Make the ACK of a 2xx to our INVITE of that CSeq number (section 13.2.2.4).

        `headers` are the INVITE's credentials, if it had any.
        """
        return self._make("ACK", invite_cseq, headers, body, content_type)

    def create_response(
        self,
        request: Request,
        status: int,
        reason: str | None = None,
        *,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        content_type: str = "application/sdp",
    ) -> Response:
        """Answer a request of the dialog, or the one that makes it (sections 12.1.1, 12.2.2)."""
        items: list[tuple[str, str]] = []
        if 100 < status < 300 and request.method in _WITH_CONTACT:
            record = request.headers.get_all("Record-Route")
            items += [("Record-Route", value) for value in record]
            items.append(("Contact", self.contact))
        items.extend(headers)
        return response_to(
            request,
            status,
            reason,
            to_tag=self.id.local_tag if status > 100 else None,
            headers=items,
            body=body,
            content_type=content_type,
        )

    def receive_request(self, request: Request) -> None:
        """Take a request of the peer (section 12.2.2).

        Raises RemoteProtocolError with status 500 if a later one has come before it.
        """
        number = request.cseq.number
        if request.method in ("ACK", "CANCEL"):
            return  # they have the number of their INVITE
        if self.remote_cseq is not None and number < self.remote_cseq:
            raise RemoteProtocolError(
                f"CSeq {number} after {self.remote_cseq}",
                sip_status=500,
                reason="Server Internal Error",
            )
        self.remote_cseq = number
        if request.method in _REFRESHES_TARGET and request.contact is not None:
            self.remote_target = request.contact.uri

    def receive_response(self, response: Response) -> None:
        """Take a response to a request of ours (sections 12.1.2, 12.2.1.2, 13.2.2.4)."""
        if response.cseq.method not in _REFRESHES_TARGET or not 100 < response.status < 300:
            return
        if self.state is DialogState.EARLY:
            self.route_set = _reversed_record_route(response)
        if response.status >= 200:
            self.state = DialogState.CONFIRMED
        early = response.status < 200 and self.state is DialogState.CONFIRMED
        if response.contact is not None and not early:
            self.remote_target = response.contact.uri

    def _make(
        self,
        method: str,
        cseq: int,
        extra: Iterable[tuple[str, str]],
        body: bytes,
        content_type: str | None,
    ) -> Request:
        uri, routes = self._route()
        items = [
            *(("Route", route) for route in routes),
            ("Max-Forwards", MAX_FORWARDS),
            ("From", str(self.local)),
            ("To", str(self.remote)),
            ("Call-ID", self.id.call_id),
            ("CSeq", f"{cseq} {method}"),
            *extra,
        ]
        if body:
            items.append(("Content-Type", content_type or "application/sdp"))
        return Request(method, uri, Headers(items), body)

    def _route(self) -> tuple[Uri, tuple[str, ...]]:
        """Give Request-URI and Route headers: loose routing, or strict (section 12.2.1.1)."""
        if not self.route_set:
            return self.remote_target, ()
        first = NameAddr.parse(self.route_set[0]).uri
        if first.params.has("lr"):
            return self.remote_target, self.route_set
        uri = first.without_headers().without_param("method")
        return uri, (*self.route_set[1:], f"<{self.remote_target}>")


def _reversed_record_route(response: Response) -> tuple[str, ...]:
    return tuple(reversed(response.headers.values("Record-Route")))
