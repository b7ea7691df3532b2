"""Breaks rules of SIP in copies of the code, one at a time, and sees which scenarios fail.

Each rule names the scenarios (tests/interop/scenarios) that guard it: these must fail once it is
broken, and no other may. What passes all the same proves nothing; what fails besides proves
something else than it says. Usage: scripts/break_rules [NAME]...
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Runs go side by side, for most of their time is waiting, where each can have a network of its own.
ALONE = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$0" "$@"']
CAN_BE_ALONE = os.geteuid() == 0 and shutil.which("unshare") is not None
AT_ONCE = 2 * (os.cpu_count() or 1) if CAN_BE_ALONE else 1


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, where it stands, how it is broken, and the words of the scenarios it is behind."""

    name: str
    file: str
    old: str
    new: str
    guards: frozenset[str]


def rule(name: str, file: str, old: str, new: str, *guards: str) -> Rule:
    """Write a rule down; a scenario is named by its test, without `test_`."""
    return Rule(name, f"opensip/{file}", old, new, frozenset(guards))


RULES = (
    rule(
        "405 and 501 for methods", "ua/options.py",
        "if request.method not in _ALLOWED:", "if False:",
        "a_method_that_nobody_knows_gets_501_or_405_with_allow",
    ),
    rule(
        "416 for schemes", "ua/options.py",
        "if request.uri.scheme not in _SCHEMES and", "if False and",
        "an_unknown_scheme_gets_416",
    ),
    rule(
        "420 for extensions", "ua/options.py",
        'if unknown and request.method not in ("ACK", "CANCEL"):', "if False:",
        "an_extension_that_is_not_known_gets_420",
        "a_call_of_replaces_is_not_taken",
    ),
    rule(
        "415 says what would do", "ua/options.py",
        'return Refusal(415, (("Accept", ", ".join(sorted(accepted))),))', "return Refusal(415)",
        "a_body_of_another_kind_gets_415",
    ),
    rule(
        "422 for short sessions", "ua/options.py",
        "if timer.is_too_short(request) else None", "if False else None",
        "a_session_that_is_too_short_gets_422",
        "a_short_session_is_made_longer",
    ),
    rule(
        "482 for merged requests", "sip/transaction/layer.py",
        "if merge is not None and merge in self._merged:", "if False:",
        "a_merged_request_gets_482",
    ),
    rule(
        "481 for a CANCEL of nothing", "sip/transaction/layer.py",
        "response_to(request, 481, to_tag=self._token()), now=now)",
        "response_to(request, 200, to_tag=self._token()), now=now)",
        "a_cancel_of_nothing_gets_481",
    ),
    rule(
        "481 for no dialog", "ua/gate.py",
        "self._answer_stranger(request, flow, Refusal(481), now)",
        "self._answer_stranger(request, flow, Refusal(200), now)",
        "a_bye_out_of_nowhere_gets_481",
        "a_bye_of_another_dialog_gets_481_and_the_call_goes_on",
    ),
    rule(
        "500 for a CSeq that is too low", "sip/dialog.py",
        "if self.remote_cseq is not None and number < self.remote_cseq:", "if False:",
        "a_request_that_is_older_than_the_last_gets_500",
    ),
    rule(
        "an ACK has the number of its INVITE", "sip/answering_usage.py",
        "if answered is not None and answered.cseq == request.cseq.number:",
        "if answered is not None:",
        "an_ack_of_another_cseq_acknowledges_nothing",
    ),
    rule(
        "an ACK for each 2xx that comes again", "sip/invite_attempt.py",
        "            self._command(self._acks[tag])\n        elif",
        "            pass\n        elif",
        "a_200_that_comes_again_gets_its_ack_again",
    ),
    rule(
        "one fork of two is hung up", "sip/invite_attempt.py",
        "elif self._cancelled or (self.usage is not None and tag != self._tag_of(self.usage)):",
        "elif self._cancelled:",
        "of_two_forks_that_answer_one_is_hung_up",
    ),
    rule(
        "what crosses the CANCEL is hung up", "sip/invite_attempt.py",
        "elif self._cancelled or (self.usage is not None",
        "elif (self.usage is not None",
        "a_200_that_crosses_the_cancel_is_hung_up",
    ),
    rule(
        "CANCEL waits for a provisional", "sip/transaction/invite_client.py",
        "if self.state is State.PROCEEDING:\n            self._send_cancel(now)",
        "self._send_cancel(now)",
        "nothing_is_cancelled_before_something_was_heard",
    ),
    rule(
        "INVITE is sent again", "sip/transaction/invite_client.py",
        "self._resend_at = None if reliable else now + self._resend_after",
        "self._resend_at = None",
        "a_lost_invite_comes_again_as_it_was",
    ),
    rule(
        "RAck names RSeq and CSeq", "sip/early_dialog.py",
        "rack = RAck(rseq, response.cseq)", "rack = RAck(rseq + 1, response.cseq)",
        "a_reliable_180_gets_its_prack",
        "a_reliable_183_with_an_answer_gets_its_prack",
    ),
    rule(
        "credentials for their realm", "sip/challenge.py",
        "if c and (realms is None or c.realm in realms)]", "if c]",
        "a_realm_that_is_not_the_trunks_gets_no_credentials",
    ),
    rule(
        "the strongest algorithm", "sip/challenge.py",
        "chosen = max(able,", "chosen = min(able,",
        "of_several_algorithms_the_first_that_we_know_is_used",
    ),
    rule(
        "redirections on own hosts", "ua/redirects.py",
        "own = uri.host.lower() == invite.uri.host.lower() or is_own(uri.host)", "own = True",
        "a_302_to_another_host_is_not_followed",
    ),
    rule(
        "strict routing", "sip/dialog.py",
        'if first.params.has("lr"):', "if True:",
        "a_strict_router_finds_itself_in_the_request_uri",
    ),
    rule(
        "keep-alives get their pong", "sip/framing.py",
        'PONG = b"\\r\\n"', 'PONG = b""',
        "keep_alives_between_messages_get_their_pong",
    ),
)  # fmt: skip


def failures(root: Path) -> set[str]:
    """Run every scenario on the code below `root`; the names of those that fail."""
    command = [*(ALONE if CAN_BE_ALONE else []), sys.executable, "-m", "pytest", "-q", "-n0"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "--timeout", "60", "-m", "not long",
         "tests/interop/scenarios"],
        cwd=root, env=os.environ | {"PYTHONPATH": str(root)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if "passed" not in done.stdout and "failed" not in done.stdout:
        sys.exit(f"break_rules: the scenarios did not run:\n{done.stdout}{done.stderr}")
    return set(re.findall(r"^(?:FAILED|ERROR) \S+::test_(\w+)", done.stdout, re.MULTILINE))


def broken(rule: Rule) -> set[str]:
    """Break one rule in a copy of the code, and tell which scenarios fail there."""
    with tempfile.TemporaryDirectory(prefix="rules-") as name:
        root = Path(name)
        for part in ("opensip", "tests", "scripts", "config"):
            shutil.copytree(ROOT / part, root / part)
        shutil.copy(ROOT / "pyproject.toml", root)
        file = root / rule.file
        text = file.read_text(encoding="utf-8")
        if text.count(rule.old) != 1:
            sys.exit(f"break_rules: {rule.name}: not once in {rule.file}: {rule.old!r}")
        file.write_text(text.replace(rule.old, rule.new), encoding="utf-8")
        return failures(root)


def main() -> int:
    """Break the rules that are asked for, all by default; 0 if each is guarded, and no more."""
    parser = argparse.ArgumentParser(prog="scripts/break_rules", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="part of a rule's name")
    names = parser.parse_args().names
    rules = [r for r in RULES if not names or any(name in r.name for name in names)]
    if fails := failures(ROOT):
        sys.exit(f"break_rules: these fail with every rule whole: {', '.join(sorted(fails))}")
    wrong = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for rule, fails in zip(rules, pool.map(broken, rules), strict=True):
            missed, besides = rule.guards - fails, fails - rule.guards
            wrong += bool(missed or besides)
            print(
                f"{'ok   ' if not missed | besides else 'WRONG'} {rule.name}: "
                f"{', '.join(sorted(fails)) or 'nothing'} failed"
                + (f"; not {', '.join(sorted(missed))}" if missed else "")
                + (f"; and should not: {', '.join(sorted(besides))}" if besides else ""),
                flush=True,
            )
    print(f"{len(rules) - wrong} of {len(rules)} rules are guarded, each by its own scenarios")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
