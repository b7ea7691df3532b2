"""From the answer on, a call is the same whoever called: an agent, a recording, an ending."""

import math
from functools import partial

import structlog

from opensip.agent.definition import Agent
from opensip.agent.replies import REPLIES
from opensip.call.agents import Talker
from opensip.call.call import Call, Ending, Terms
from opensip.call.call_out import TargetCalls
from opensip.call.dialler import Dialler
from opensip.call.entry import Entry
from opensip.call.exchange import Exchange
from opensip.call.keys import Keys
from opensip.call.sip_leg import SipLeg
from opensip.carriers import Number, Trunk
from opensip.events import CallAnswered, Fault
from opensip.media.accord import codec_of
from opensip.media.session import MediaSession
from opensip.ua.invite_session import InviteSession

log = structlog.get_logger(__name__)
_UNASKED = "the consent prompt was not heard to its end"


async def attend(
    exchange: Exchange,
    session: InviteSession,
    media: MediaSession,
    agent: Talker,
    *,
    definition: Agent,
    trunk: Trunk,
    route: Number,
    entry: Entry,
    endpoint: Dialler | None = None,
    caller: str = "",
) -> Ending:
    """See an answered call through, with the agent that was seated by `definition`.

    `route` says what is recorded. With `endpoint` targets can be called by ourselves, to whom
    `caller` is shown.
    """
    now = exchange.now
    leg = SipLeg(session, media, dtmf=trunk.dtmf)
    keys = Keys(leg, observer=entry, now=now)
    try:
        entry.note(CallAnswered(now()))
        agent.press, agent.record = keys.press, media.record
        _listen(agent, leg)
        call = Call(
            leg,
            agent,
            terms_of(trunk, definition, entry.call_id),
            observer=entry,
            now=now,
            begin=lambda: _record(
                exchange, media, agent, entry, route=route, form=trunk.recording_form
            ),
            call_out=_call_out(
                exchange, endpoint, leg, media, trunk=trunk, entry=entry, caller=caller
            ),
        )
        return await call.run()
    finally:
        keys.close()
        await leg.close()


def _call_out(
    exchange: Exchange, endpoint: Dialler | None, leg: SipLeg, media: MediaSession, *,
    trunk: Trunk, entry: Entry, caller: str,
) -> TargetCalls | None:  # fmt: skip
    if endpoint is None:
        return None
    return TargetCalls(
        exchange, endpoint, trunk, entry, caller, partial(codec_of, media), lambda: leg.host
    )


def _listen(agent: Talker, leg: SipLeg) -> None:
    """Let the agent learn of keys, and of hold, which may be there from the INVITE on."""
    leg.on_digit, leg.on_held = agent.digit, agent.hold
    if leg.is_held:
        agent.hold(True)


def terms_of(trunk: Trunk, definition: Agent, call_id: str) -> Terms:
    """Gather what a trunk and an agent allow of a call."""
    return Terms(
        call_id=call_id,
        directory={name: target.uri for name, target in definition.directory.items()},
        country=trunk.country,
        strategies=trunk.transfer,
        profile=trunk.profile,
        refer_to_headers=trunk.refer_to_headers,
        max_seconds=trunk.max_seconds,
        agent_seconds=definition.max_seconds or math.inf,
        farewell=definition.reply("too_long"),
        tells_why=definition.reply("transfer_failed") == REPLIES["transfer_failed"],
        refers=trunk.refers == "allow",
    )


async def _record(
    exchange: Exchange,
    media: MediaSession,
    agent: Talker,
    entry: Entry,
    *,
    route: Number,
    form: str,
) -> None:
    """Start the recording, if there is to be one, once the caller has been told."""
    if not route.recording:
        return
    if route.consent and not await agent.say(route.consent):
        log.warning("not_recorded", why=_UNASKED)
        entry.note(Fault(exchange.now(), "recording", f"{_UNASKED}: not recorded"))
        return
    media.record_to(exchange.recorder(entry, media.rate, form))
