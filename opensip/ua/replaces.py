"""Who wants to take over a call of somebody else: RFC 3891 section 3. Nobody may.

A trunk speaks for its callers, not for each other's: what it may replace it can as well transfer.
"""

from collections.abc import Callable

from opensip.errors import RemoteProtocolError
from opensip.sip.dialog import DialogId
from opensip.sip.fields import Replaces
from opensip.sip.message import Request
from opensip.ua.core import Participant, Stage
from opensip.ua.options import Refusal


def screen_replaces(
    request: Request, find: Callable[[DialogId], Participant | None]
) -> Refusal | None:
    """Refuse an INVITE with Replaces; `find` tells who holds a dialog of ours.

    400 if it cannot be read, 481 where there is no such call, 486 where one that is answered was
    to be replaced only before that, and 603 where the call could be replaced.
    """
    if not request.headers.has("Replaces"):
        return None
    values = request.headers.get_all("Replaces")
    try:
        wanted = Replaces.parse(values[0])
    except RemoteProtocolError as error:
        return Refusal(error.sip_status, (), error.reason)
    if len(values) > 1:
        return Refusal(400)
    held = find(DialogId(wanted.call_id, wanted.to_tag, wanted.from_tag))
    match held and held.stage:
        case None | Stage.CALLED:  # the early dialog of a caller is not the called side's to give
            return Refusal(481)
        case Stage.TALKING if wanted.early_only:
            return Refusal(486)
        case _:
            return Refusal(603)
