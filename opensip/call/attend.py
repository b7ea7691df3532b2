"""From the answer on, a call is the same whoever called: an agent, a recording, an ending."""

from collections.abc import Callable, Mapping

from opensip.call.agents import Talker
from opensip.call.call import Call, Ending, Terms
from opensip.call.entry import Entry
from opensip.call.exchange import Exchange
from opensip.call.sip_leg import SipLeg
from opensip.carriers import Number, Trunk
from opensip.events import CallAnswered, Fault
from opensip.media.recorder import Recorder
from opensip.media.session import MediaSession
from opensip.ua.invite_session import InviteSession


async def attend(
    exchange: Exchange,
    session: InviteSession,
    media: MediaSession,
    *,
    trunk: Trunk,
    route: Number,
    entry: Entry,
    variables: Mapping[str, str],
) -> Ending:
    """See an answered call through; `route` says which agent it gets, and what is recorded."""
    now = exchange.now
    leg = SipLeg(session, media, observer=entry, now=now)
    try:
        entry.note(CallAnswered(now()))
        definition = exchange.agents[route.agent]
        agent = exchange.seat(definition, leg, observer=entry, now=now, variables=variables)
        leg.on_digit = agent.digit
        terms = Terms(
            call_id=entry.call_id,
            directory={name: target.uri for name, target in definition.directory.items()},
            country=trunk.country,
            strategies=trunk.transfer,
            profile=trunk.profile,
            max_seconds=trunk.max_seconds,
            tells_why="transfer_failed" not in definition.replies,
        )
        try:
            await _record(media, agent, route, entry, now=now)
            return await Call(leg, agent, terms, observer=entry, now=now).run()
        finally:
            await agent.close()
    finally:
        await leg.close()


async def _record(
    media: MediaSession, agent: Talker, route: Number, entry: Entry, *, now: Callable[[], float]
) -> None:
    """Start the recording, if there is to be one, once the caller has been told."""
    if not route.recording:
        return
    if route.consent and not await agent.say(route.consent):
        entry.note(Fault(now(), "recording", "the consent prompt was not heard: not recorded"))
        return
    media.record_to(Recorder(entry.recording, observer=entry))
