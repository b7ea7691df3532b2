"""What a trunk's policy makes of a caller's signature, and where that is told."""

from collections.abc import Callable
from functools import partial

import structlog

from opensip.call.entry import Entry
from opensip.carriers import Trunk
from opensip.carriers.number import normalise
from opensip.events import IdentityChecked
from opensip.sip.message import Request
from opensip.ua.verification import MISSING, Verdict, Verifier

log = structlog.get_logger(__name__)

NO_ANCHORS = Verdict("unchecked", 436, "no roots are configured: see [identity] anchors")

_REFUSED = {  # by each policy
    "annotate": frozenset[str](),
    "prefer": frozenset({"failed"}),
    "enforce": frozenset({"failed", "unchecked", "missing"}),
}
_VERSTAT = {
    "passed": "TN-Validation-Passed",
    "failed": "TN-Validation-Failed",
    "unchecked": "No-TN-Validation",
    "missing": "",
}


def is_due(request: Request, trunk: Trunk) -> bool:
    """Tell whether a call is to be screened at all: most are not, and pay for nothing else."""
    return trunk.identity == "enforce" or (
        request.headers.has("Identity") and trunk.identity != "off"
    )


async def screen(
    request: Request,
    trunk: Trunk,
    verifier: Verifier | None,
    entry: Entry,
    *,
    now: Callable[[], float],
) -> Verdict:
    """Verify who calls, and note what came of it; without a verifier nothing can be checked."""
    began = now()
    if not request.headers.has("Identity"):
        verdict = MISSING
    elif verifier is None:
        verdict = NO_ANCHORS
    else:
        complete = partial(normalise, country=trunk.country)
        verdict = await verifier.verify(request, trusted=trunk.trusted, normalise=complete)
    entry.note(
        IdentityChecked(
            now(),
            *(verdict.outcome, verdict.status, verdict.why),
            *(verdict.attestation, verdict.origination_id, verdict.certificate),
            (now() - began) * 1000,
        )
    )
    log.info("identity_checked", outcome=verdict.outcome, sip_status=verdict.status)
    return verdict


def is_refused(verdict: Verdict, trunk: Trunk) -> bool:
    """Tell whether the trunk's policy turns such a caller away."""
    return verdict.outcome in _REFUSED.get(trunk.identity, ())


def variables_of(verdict: Verdict, carriers: dict[str, str]) -> dict[str, str]:
    """Give what the agent is told, over the `carriers` word of the same caller.

    `identity` is the outcome, `identity_error` why it is not "passed". What is signed stands
    above what a carrier merely says; its `verstat` stands where it gives one.
    """
    told = {"identity": verdict.outcome, "verstat": _VERSTAT[verdict.outcome]}
    told |= {key: value for key, value in carriers.items() if key == "verstat"}
    told["identity_error"] = verdict.why
    told["attestation"] = verdict.attestation
    told["origination_id"] = verdict.origination_id
    return {key: value for key, value in told.items() if value}
