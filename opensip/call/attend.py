"""From the answer on, a call is the same whoever called: an agent, a recording, an ending."""

from collections.abc import Mapping

from opensip.call.agents import Talker, make_agent
from opensip.call.call import Call, Ending, Terms
from opensip.call.entry import Entry
from opensip.call.exchange import Exchange
from opensip.call.sip_leg import SipLeg
from opensip.carriers import Number, Trunk
from opensip.events import CallAnswered
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
        agent = make_agent(definition, leg, observer=entry, now=now, variables=variables)
        leg.on_digit = agent.digit
        await _record(media, agent, route, entry)
        terms = Terms(
            call_id=entry.call_id,
            directory={name: entry.uri for name, entry in definition.directory.items()},
            country=trunk.country,
            strategies=trunk.transfer,
            profile=trunk.profile,
            max_seconds=trunk.max_seconds,
        )
        return await Call(leg, agent, terms, observer=entry, now=now).run()
    finally:
        await leg.close()


async def _record(media: MediaSession, agent: Talker, route: Number, entry: Entry) -> None:
    """Start the recording, if there is to be one, once the caller has been told."""
    if route.recording:
        if route.consent:
            await agent.say(route.consent)
        media.record_to(Recorder(entry.recording, observer=entry))
