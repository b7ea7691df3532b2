"""Two joined peers brought to codecs that the engine joins: by one re-INVITE, where that helps.

Only where one of both speaks G.711 and the other may not: what they hear of each other is narrow
then, whoever speaks wider. Where both may speak wideband they keep it, and Python hands it on.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from opensip.audio.codecs import G711
from opensip.errors import NegotiationError, OpenSipError, RemoteProtocolError
from opensip.media.session import MediaSession
from opensip.media.spoken import Formats
from opensip.sdp.capabilities import is_event

# Seconds that an answer is waited for; two collisions with offers of the peer have room in them.
PATIENCE = 10.0
_ENDED = 481  # the status where the session is over: there is nothing left to tell


class Reinvite(Protocol):
    """Offers a session anew to its peer."""

    async def __call__(self, *, vital: bool) -> None:
        """Offer, and wait until that is agreed on; raises OpenSipError where it is not.

        A session that can do without the change, which is not `vital`, outlives its failure.
        """


@dataclass(frozen=True, slots=True)
class End:
    """One session, and whether its peer is to get the other's keys as telephone events."""

    session: MediaSession
    takes_keys: Callable[[], bool]
    reinvite: Reinvite


@dataclass(frozen=True, slots=True)
class Proposal:
    """Codecs for the peer of one session, `who` in the words of the record."""

    end: End
    who: str
    codecs: Formats

    def __str__(self) -> str:
        names = " or ".join(form.encoding_name for form in self.codecs)
        return f"the {self.who} is asked for {names} by re-INVITE"


def codec_of(session: MediaSession) -> str:
    """Tell what a peer and we speak, "" before that was agreed on."""
    agreed = session.negotiated
    return agreed.codec.encoding_name if agreed is not None else ""


def is_plain(session: MediaSession) -> bool:
    """Tell whether nothing but G.711 may come and go."""
    agreed = session.negotiated
    forms = (agreed.codec, *(form for _, form in agreed.receive)) if agreed is not None else ()
    return all(form.encoding_name in G711 or is_event(form) for form in forms)


def propose(caller: End, target: End) -> Proposal | str:
    """Find what would let the engine join two sessions that it cannot, or tell why nothing would.

    The peer that speaks G.711 keeps it: only the other is asked.
    """
    if caller.session.engine is not target.session.engine:
        return "each is in an engine of its own"
    spoken = codec_of(caller.session), codec_of(target.session)
    if "" in spoken:
        return "nothing is agreed on yet"
    match is_plain(caller.session), is_plain(target.session):
        case False, False:
            return "both may speak wideband"
        case True, _:
            end, who, other = target, "target", spoken[0]
        case _:
            end, who, other = caller, "caller", spoken[1]
    if not end.session.spoken.may_change:
        return f"the {who} is not asked for G.711: change_codec is false"
    codecs = end.session.spoken.plain(other)
    return Proposal(end, who, codecs) if codecs else f"the {who} has no G.711 for us"


async def agree(proposal: Proposal) -> str:
    """Propose it to the peer; gives "" once that is agreed on, else why it is not.

    The session brings these codecs alone from then on, and all of its own again where it came to
    nothing. The sound goes on as it is meanwhile.
    """
    end, who = proposal.end, proposal.who
    end.session.spoken.narrow(proposal.codecs)
    try:
        async with asyncio.timeout(PATIENCE):
            await end.reinvite(vital=False)
        return ""
    except TimeoutError:
        why = f"the {who} did not answer a re-INVITE within {PATIENCE:g} s"
    except (NegotiationError, RemoteProtocolError) as error:
        end.session.spoken.widen()
        await _take_back(end)
        return f"the {who} answered a re-INVITE with what cannot be used: {error}"
    except OpenSipError as error:
        if error.sip_status == _ENDED:
            return str(proposal)
        why = f"the {who} refused a re-INVITE: {error}"
    end.session.spoken.widen()
    return why


async def _take_back(end: End) -> None:
    """Offer what stood before: the peer believes in something else."""
    with contextlib.suppress(OpenSipError):  # where that ends the session, its leg says so
        await end.reinvite(vital=True)
