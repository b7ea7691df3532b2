"""What a carrier says about the caller's number: its own check of a STIR signature. Pure.

`verstat` stands in the P-Asserted-Identity or From of carriers that check `Identity` headers
themselves (ATIS-1000074), P-Attestation-Indicator and P-Origination-ID beside them (Bandwidth).
They are claims of whoever sent them: believe them of a trusted trunk only.
"""

import re
from collections.abc import Iterator

from opensip.sip.message import Request

_VERSTAT = re.compile(r"(?i);\s*verstat\s*=\s*\"?(No-TN-Validation|TN-Validation-[A-Za-z-]{1,24})")
_ATTESTATIONS = frozenset("ABC")  # full, partial, gateway: ATIS-1000074 section 5.2.3
_ORIGINATION = re.compile(r"[A-Za-z0-9-]{1,64}")  # a UUID of most carriers


def attestation(request: Request) -> dict[str, str]:
    """Give the carrier's verdict as variables; empty where it gives none.

    `verstat` is "TN-Validation-Passed", "TN-Validation-Failed" or "No-TN-Validation"; some
    carriers join the attestation to it ("TN-Validation-Passed-B"), which then stands apart in
    `attestation`: A, B or C. `origination_id` names the origin of the call at its first carrier.
    """
    return dict(_verstat(request)) | dict(_beside(request))


def _verstat(request: Request) -> Iterator[tuple[str, str]]:
    # As a parameter of the user part, of the URI and of the header: all three are met.
    for name in ("P-Asserted-Identity", "From"):
        for line in request.headers.get_all(name):
            if found := _VERSTAT.search(line):
                verdict, joined = found[1], found[1][-1].upper()
                if verdict[-2:-1] == "-" and joined in _ATTESTATIONS:
                    verdict = verdict[:-2]
                    yield "attestation", joined
                yield "verstat", verdict
                return


def _beside(request: Request) -> Iterator[tuple[str, str]]:
    level = (request.headers.get("P-Attestation-Indicator") or "").strip().upper()
    if level in _ATTESTATIONS:
        yield "attestation", level
    origin = (request.headers.get("P-Origination-ID") or "").strip()
    if _ORIGINATION.fullmatch(origin):
        yield "origination_id", origin
