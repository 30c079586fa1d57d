"""`make mutations`: break each rule on purpose and see the tests that are marked with it turn red.

Each line of `MUTATIONS` names a rule of the manual, a file, a text that stands in it exactly once, and what to put
there instead. A mutation is made in a copy of the tree; there the tests marked with its rule run until one fails. To
add one, add a line: tests/test_mutations.py sees to it that each still fits, and that no rule that is kept lacks one.
Rules named on the command line are run alone.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "var", "*cache*", ".hypothesis", "screenshots", "*.png", "dist", "build"
)
RULE = "PLAZO_MUTATION_RULE"
DOMAIN = "tests/models"
SLOWEST = "TestLife"
AT_ONCE = 2
WIDTH = 150


@dataclass(frozen=True)
class Mutation:
    """A rule, a file, the text in it (exactly once), what to put there, and where the tests are that must turn red."""

    rule: str
    file: str
    old: str
    new: str
    tests: str = DOMAIN


MUTATIONS = (
    Mutation("M5.3", "models/alerting.py", '{"spared": (fact.actor.id,)}', '{"spared": ()}'),
    Mutation("M5.3", "models/secrecy.py", "if taken_off and case.proposal and", "if False and case.proposal and"),
    Mutation("M5.3", "records/agenda.py", "kept=kept,", "kept=None,", "tests/workflows/test_digest.py"),
    Mutation("M3.3", "models/owning.py", "case.owner = owner\n", "pass\n"),
    Mutation(
        "M3.3",
        "starter/admin/staff_orders.py",
        "if by.sees(case.owner, kept._replace(asked=())):",
        "if True:",
        "tests/api/test_kept.py",
    ),
    Mutation("M5.3", "models/assignment.py", "if not approver.speaks(language):", "if False:"),
    Mutation(
        "M5.3",
        "starter/admin/writer.py",
        "if staff.person(self.session",
        "if False and staff.person(self.session",
        "tests/api/test_proposals.py",
    ),
    Mutation(
        "M5.3",
        "starter/admin/signing_in.py",
        "return found._replace(actor=Actor(id=who, role=found.actor.role)) if who else found",
        "return found",
        "tests/api/test_tokens.py",
    ),
    Mutation("M5.4", "models/sight.py", "not (named or asked)", "not named"),
    Mutation(
        "M5.4",
        "starter/admin/rights.py",
        "if not reading and action not in WHILE_ASKED:",
        "if False:",
        "tests/api/test_kept.py",
    ),
    Mutation("M3.3", "models/assignment.py", "if member.role in READS_ONLY:", "if False:"),
    Mutation("M1.2", "models/handling.py", "if actor.role is not Role.SUPERVISOR:", "if False:"),
    Mutation(
        "M2.1",
        "starter/reception/opening.py",
        "return settings.answered_by if settings else EMAIL",
        "return channel",
        "tests/starter/test_intake.py",
    ),
    Mutation("M2.1", "models/opening.py", "    if in_public:\n", "    if False:\n"),
    Mutation(
        "M2.1", "models/post.py", "    if letter.kind is LetterKind.INVITATION:\n        return\n    bury", "    bury"
    ),
    Mutation(
        "M2.1",
        "activities/letters/trial.py",
        "sorted(used - ALLOWED.get(name, used))",
        "()",
        "tests/letters/test_templates.py",
    ),
    Mutation("M3.1", "models/opening.py", "to=public_address(case.channel), actor", "actor"),
    Mutation("M3.1", "models/arriving.py", " and case.closed_at and not case.merged_into:", " and case.closed_at:"),
    Mutation("M3.1", "models/arriving.py", "begin_again(case, min(order.at, now),", "begin_again(case, now,"),
    Mutation(
        "M3.1",
        "starter/reception/opening.py",
        "area=assigned.area,",
        'area="legal",',
        "tests/starter/test_intake.py",
    ),
    Mutation(
        "M3.2", "policies/roxom/policy.toml", "acknowledgement_business_days = 5 ", "acknowledgement_business_days = 6 "
    ),
    Mutation(
        "M3.2",
        "models/opening.py",
        "case.write(LetterKind.INVITATION, now,",
        "case.write(LetterKind.INVITATION, now, meets=(acknowledgement.n,),",
    ),
    Mutation("M3.2", "models/obligations.py", "self.met_at < self.ends", "self.met_at <= self.due"),
    Mutation("M3.2", "models/clock.py", "if letter.kind is LetterKind.ACKNOWLEDGEMENT:", "if False:"),
    Mutation("M3.2", "models/post.py", "if obligation.open or sooner:", "if obligation.open:"),
    Mutation(
        "M3.3", "models/referrals.py", "LetterKind.REFERRAL, now, meets=(owed.n,)", "LetterKind.REFERRAL, now, meets=()"
    ),
    Mutation("M3.3", "models/referrals.py", "if order.area not in case.terms.areas:", "if False:"),
    Mutation(
        "M3.4",
        "models/due_dates.py",
        "received, terms.final_business_days)",
        "received, terms.acknowledgement_business_days)",
    ),
    Mutation("M3.4", "models/case.py", "        if by is None:\n", "        if by != -1:\n"),
    Mutation(
        "M3.4", "models/post.py", "            case.meet(obligation, letter, at)\n            if", "            if"
    ),
    Mutation(
        "M3.8",
        "starter/admin/gate.py",
        "if one not in answered]",
        "if one not in answered and False]",
        "tests/api/test_shipped.py",
    ),
    Mutation(
        "M3.8", "models/raising.py", "one.why for n, one in enumerate(aside, 1) if one.why", "one.id for n, one in ()"
    ),
    Mutation("M3.9", "models/gate.py", "0 < len(text) < fewest", "len(text) == 0"),
    Mutation("M3.4", "models/answering.py", "    _before_the_answer(case, by, now)\n", ""),
    Mutation(
        "M5.7",
        "activities/composing.py",
        "words=quoted.text if quoted else _words(session, case),",
        "words=_words(session, case)[:0],",
        "tests/api/test_commands.py",
    ),
    Mutation("M5.7", "policies/roxom/letters/withdrawn.es.letter", "{{ written_on }}", "", "tests/letters"),
    Mutation("M3.5", "models/extensions.py", "running is None or at >= running.ends or", "running is None or"),
    Mutation("M3.5", "models/extensions.py", " or running.due != extension.replaces:", ":"),
    Mutation(
        "M3.5",
        "models/dates.py",
        "if granted >= case.terms.extensions_by_agent",
        "if granted > case.terms.extensions_by_agent",
    ),
    Mutation("M3.5", "models/dates.py", "if until > limit:", "if False:"),
    Mutation("M3.5", "models/dates.py", "if now >= running.ends:", "if False:"),
    Mutation("M3.5", "models/extensions.py", "if at > extension.replaces or", "if False or"),
    Mutation("M3.5", "models/answering.py", '    drop_extension(case, now, why="answered")\n', ""),
    Mutation("M3.6", "models/due_dates.py", "return min(soon, limit) if limit > escalated else soon", "return soon"),
    Mutation("M3.6", "models/dates.py", "current.estimate > running.due:", "False:"),
    Mutation("M3.6", "models/dates.py", "now < running.ends and current", "current"),
    Mutation("M3.6", "models/post.py", "for earlier in promised:", "for earlier in promised[:0]:"),
    Mutation(
        "M3.7",
        "starter/admin/bindings.py",
        'require(desk, actor, "binding.account" if wanted.account is not None else "binding.inquiry", "binding")',
        "pass",
        "tests/api/test_bindings.py",
    ),
    Mutation("M3.7", "models/case.py", "wanted = to is None and replaces is None", "wanted = to is None"),
    Mutation("M3.7", "models/post.py", "        elsewhere(case, letter, at, meets=(owed.n,))\n", ""),
    Mutation("M3.7", "models/arriving.py", "    case.dead = tuple(one for one in case.dead if one not in alive)\n", ""),
    Mutation("M3.7", "models/arriving.py", "case.bound or order.bound", "case.bound"),
    Mutation("M3.7", "models/arriving.py", "\n    join(case, order.addresses, now)\n", "\n"),
    Mutation("M3.7", "models/arriving.py", "    found_address(case, now)\n\n\ndef notice", "\n\ndef notice"),
    Mutation("M3.7", "models/arriving.py", "    if order.unreadable:\n", "    if False:\n"),
    Mutation("M3.11", "models/quality.py", "-(-len(stratum)", "(len(stratum)"),
    Mutation("M3.11", "models/gate.py", "if cause or outcome not in wanted:", "if True:"),
    Mutation("M3.8", "models/gate.py", "if not one.dropped and one.id not in answered", "if False"),
    Mutation("M3.9", "models/gate.py", "if not points[n].get(part)", "if False"),
    Mutation("M3.8", "models/gate.py", 'Outcome.UPHELD: ("points", "actions")', 'Outcome.UPHELD: ("points",)'),
    Mutation(
        "M3.9",
        "models/gate.py",
        'Outcome.PARTIAL: ("points", "actions", "reasons")',
        'Outcome.PARTIAL: ("points", "actions")',
    ),
    Mutation("M3.8", "models/remedies.py", "Decimal(order.amount) > Decimal(limit)", "False"),
    Mutation("M3.8", "models/remedies.py", "meets=(remedy.obligation,)", "meets=()"),
    Mutation("M3.8", "models/asking.py", "asked.remind_at <= now < asked.by", "False"),
    Mutation(
        "M3.9", "policies/roxom/policy.toml", 'required = ["resolve.unfounded", "erase", "withdraw"]', "required = []"
    ),
    Mutation("M3.10", "models/reviewing.py", "by_authority and case.terms.authority_writes_again", "False"),
    Mutation("M3.10", "models/reviewing.py", "due = answer_by or authority", "due = authority"),
    Mutation("M3.10", "models/reviewing.py", "answer_by < min(order.received_at or now, now)", "False"),
    Mutation(
        "M3.10",
        "starter/reception/registering.py",
        "            received_at=row.received_at if ordered.answer_by else None,\n",
        "",
        "tests/api/test_registrations.py",
    ),
    Mutation(
        "M3.10",
        "models/answering.py",
        "ObligationKind.AUTHORITY_REPLY, ObligationKind.CHANNEL_CHANGE",
        "ObligationKind.CHANNEL_CHANGE",
    ),
    Mutation("M3.10", "models/resending.py", "again = case.post(again, address=None)", "pass"),
    Mutation("M3.11", "models/clock.py", "if missed.kind not in TERMS:", "if missed.kind in TERMS:"),
    Mutation("M3.11", "models/post.py", "        repeat_missed(case, at)\n", "        return\n"),
    Mutation(
        "M3.11", "models/clock.py", "    while before != len(case.pending):", "    if before != len(case.pending):"
    ),
    Mutation("M3.11", "models/ledger.py", "if event.hash != event_hash(event):", "if False:"),
    Mutation("M3.11", "models/post.py", "(waited or case.told is None)", "True"),
    Mutation("M3.11", "records/figures.py", "        (ended_late, Fate.LAPSED),\n", "", "tests/reporting"),
    Mutation(
        "M3.11", "records/figures_terms.py", 'and_(begun, col(row.why) != "reopened")', "begun", "tests/reporting"
    ),
    Mutation(
        "M3.11", "records/figures_misses.py", "        return Reason.FOUND_LATE", "        pass", "tests/reporting"
    ),
    Mutation(
        "M4.1",
        "models/standing.py",
        "(channel or self.channel_now, *self.terms.channel_order)",
        "self.terms.channel_order",
    ),
    Mutation("M4.2", "models/letters.py", "LetterKind.CHANNEL_CHANGE: 0", "LetterKind.CHANNEL_CHANGE: 9"),
    Mutation("M4.2", "models/resending.py", "target.channel == case.channel_now", "target.channel != case.channel_now"),
    Mutation("M4.2", "models/resending.py", "one.meets)\n    tell_new_channel(case, at)\n", "one.meets)\n"),
    Mutation("M4.2", "models/resending.py", "told = tell_new_channel(case, at)\n    for", "told = None\n    for"),
    Mutation("M4.2", "models/arriving.py", "    leave(case, closed, now)\n", ""),
    Mutation(
        "M4.2", "models/reviewing.py", "closed_at = None\n    tell_new_channel(case, now)\n", "closed_at = None\n"
    ),
    Mutation("M4.2", "models/handling.py", "one.kind not in ONE_PLACE]", "one.kind is not LetterKind.AUTHORITY_REPLY]"),
    Mutation("M4.2", "models/handling.py", "old_works=True", "old_works=False"),
    Mutation(
        "M5.2",
        "starter/reception/opening.py",
        "hold_until=hold,",
        "hold_until=calendar.due(now, 1),",
        "tests/starter/test_always_open.py",
    ),
    Mutation(
        "M5.3",
        "models/deciding.py",
        'raise Refused("approval.same-person", "whoever proposed it cannot approve',
        '_ = ("approval.same-person", "whoever proposed it cannot approve',
    ),
    Mutation("M3.3", "models/assignment.py", "<= self.trained", "<= {Language.ES, Language.EN}"),
    Mutation("M3.3", "models/assignment.py", "min(fit, key=lambda m: (m.load, m.id)", "min(fit, key=lambda m: (m.id,)"),
    Mutation("M3.3", "models/assignment.py", "    if member.absent:\n        return", "    if False:\n        return"),
    Mutation("M3.3", "models/assignment.py", "    if not member.speaks(language):\n", "    if False:\n"),
    Mutation(
        "M5.4",
        "models/policy.py",
        '(("representative", named.representative), ("deputy", named.deputy), *supervisors)',
        '(("deputy", named.deputy), ("representative", named.representative), *supervisors)',
    ),
    Mutation(
        "M5.4",
        "models/assignment.py",
        "        if not why:\n            return step",
        "        if why:\n            return step",
    ),
    Mutation("M5.3", "models/answering.py", "    if case.referred:\n", "    if False:\n"),
    Mutation("M5.3", "models/deciding.py", "        require_verified(case, order.outcome)\n", "        pass\n"),
    Mutation("M5.3", "models/answering.py", "    case.unverify(now)\n", ""),
    Mutation("M5.3", "models/referrals.py", "return min(due, running.due) if", "return due if"),
    Mutation("M5.4", "models/verifying.py", "or area in stands_in", "or True"),
    Mutation("M5.4", "models/clock.py", "    mind_referrals(case, now)\n", ""),
    Mutation("M5.4", "models/incidents.py", "    may_end(case.terms, incident.area, actor, order.stands_in)\n", ""),
    Mutation(
        "M5.4",
        "starter/admin/incidents.py",
        "        _theirs(desk, actor, areas, checked(reference), n)\n",
        "",
        "tests/api/test_incidents.py",
    ),
    Mutation("M5.4", "models/handling.py", "if order.area and order.area not in case.terms.areas:", "if False:"),
    Mutation("M5.5", "models/work.py", "    case.pending = later\n", "    case.pending = []\n"),
    Mutation("M5.5", "models/arriving.py", "    case.unread += 1\n", ""),
    Mutation("M5.5", "models/arriving.py", '"message.edited" if order.edits', '"message.received" if order.edits'),
    Mutation("M5.5", "models/arriving.py", "        edits=order.edits,\n", ""),
    Mutation("M5.6", "models/answering.py", "if case.open_incidents and not order.despite_incident:", "if False:"),
    Mutation("M5.6", "models/incidents.py", "closed_here=True, told_at=None)", "closed_here=False, told_at=None)"),
    Mutation("M5.6", "models/standing.py", "not one.over and one.left_at is None]", "not one.over and not one.joined]"),
    Mutation(
        "M5.6",
        "records/incidents.py",
        "joined = [] if echo else incident_words.joined(session, row.key)",
        "joined: list[Place] = []",
        "tests/records/test_incident_joins.py",
    ),
    Mutation(
        "M5.6",
        "records/incident_joins.py",
        'incident_words.since(session, key, event.data["heard"])',
        "()",
        "tests/records/test_incident_joins.py",
    ),
    Mutation("M5.6", "models/sections/tracker.py", "words = self.matters.get(matter)", "words = matter"),
    Mutation(
        "M5.6",
        "activities/tracker.py",
        "        if row.unsure:\n",
        "        if False:\n",
        "tests/workflows/test_incidents.py",
    ),
    Mutation(
        "M5.6",
        "activities/tracker.py",
        'if tracker.outside and self.policy.leaves == "reference":',
        "if False:",
        "tests/workflows/test_incidents.py",
    ),
    Mutation(
        "M5.6",
        "trackers/jira/adapter.py",
        "if not given.isascii() or not hmac.compare_digest(given.encode(), wanted.encode()):",
        "if False:",
        "tests/trackers",
    ),
    Mutation("M5.7", "models/clock.py", "<= now and not case.busy:", "<= now:"),
    Mutation("M5.7", "models/post.py", '    settle(case, at, why="answered")\n', ""),
    Mutation("M7.1", "policies/roxom/policy.toml", "date = 2024-10-07", "date = 2024-11-15"),
)
"""At least one for each rule that is kept or partly kept."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests marked with the rule at hand, the slowest last."""
    wanted = os.environ[RULE]
    kept = [item for item in items if wanted in {mark.args[0] for mark in item.iter_markers("rule")}]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = sorted(kept, key=lambda item: SLOWEST in item.nodeid)


def misfits(mutations: Sequence[Mutation] = MUTATIONS) -> list[str]:
    """Every mutation whose text does not stand in its file exactly once."""
    return [
        f"{one.rule} {one.file}: {one.old.strip()}"
        for one in mutations
        if (ROOT / one.file).read_text(encoding="utf-8").count(one.old) != 1
    ]


def outcome(mutation: Mutation) -> str:
    """Make it in a copy of the tree and run its rule's tests there: `red`, `green`, or what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
        file = tree / mutation.file
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-x",
                "-q",
                "-p",
                "tests.mutations",
                "-p",
                "no:cacheprovider",
                mutation.tests,
            ],
            cwd=tree,
            env={**os.environ, RULE: mutation.rule},
            capture_output=True,
            text=True,
            check=False,
        )
    outcomes = {pytest.ExitCode.TESTS_FAILED: "red", pytest.ExitCode.OK: "green"}
    return outcomes.get(pytest.ExitCode(done.returncode), pytest.ExitCode(done.returncode).name.lower())


def main() -> int:
    """Make every mutation, print the table, and return 1 when one stays unseen."""
    console = Console(width=WIDTH)
    if wrong := misfits():
        console.print("these do not fit the code any more:", *wrong, sep="\n", highlight=False, markup=False)
        return 1
    chosen = [one for one in MUTATIONS if one.rule in sys.argv[1:] or not sys.argv[1:]]
    results = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for one, result in zip(chosen, pool.map(outcome, chosen), strict=True):
            console.print(f"{one.rule} {one.file}: {result}", highlight=False)
            results.append(result)
    table = Table("rule", "file", "instead of", "tests", title="Each rule broken on purpose", show_lines=True)
    for one, result in zip(chosen, results, strict=True):
        table.add_row(one.rule, one.file, one.old.strip(), "red, as they should be" if result == "red" else result)
    console.print(table)
    unseen = sum(1 for result in results if result != "red")
    console.print(f"{len(results)} mutations, {unseen} unseen")
    return int(unseen > 0)


if __name__ == "__main__":
    sys.exit(main())
