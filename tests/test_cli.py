"""`plazo` as a script uses it: exit codes, data, and a records database of its own."""

import json
import os
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from models.errors import Refused
from models.inquiry import Role
from models.reference import new_reference
from records import case_list, cases, deliveries, dispatches, feeds, hooks, keys, ledger, streams
from records.database import Database
from records.deliveries import Tried
from records.keys import HOLDERS
from settings import Settings
from starter.cli import build
from starter.commands.keys import development_keys
from tests.cases import CX_LEAD, MONDAY, do, new_case
from tests.databases import Template
from tests.starter.mailbag import Bench, message
from tests.waiting import PATIENCE

PLAZO = Path(sys.executable).parent / "plazo"
REFERENCE = "RX-7KQ4-M2PD"
NOBODY = "RX-2222-2222"
SECOND = new_reference("RX", random.Random(1))


class Plazo:
    """Runs commands on records of its own: in this process, or as the installed program."""

    def __init__(self, var: Path, records_url: str) -> None:
        self.var = var
        self._own = {"PLAZO_VAR": str(var), "PLAZO_RECORDS_URL": records_url}

    def run(self, *arguments: str, code: int = 0, **environment: str) -> str:
        outer: dict[str, str | None] = {name: None for name in os.environ if name.startswith("PLAZO_")}
        done = CliRunner().invoke(
            build(arguments), arguments, env={**outer, **self._own, **environment}, prog_name="plazo"
        )
        assert done.exit_code == code, (arguments, done.exit_code, done.output, done.exception)
        return done.stdout if code == 0 else done.output

    def program(self, *arguments: str) -> tuple[int, str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PLAZO_")}
        done = subprocess.run(
            [PLAZO, *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env={**inherited, **self._own},
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    def data(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code))


@pytest.fixture
def plazo(tmp_path: Path, records_url: str) -> Plazo:
    return Plazo(tmp_path, records_url)


@pytest.fixture
def one_case(database: Database) -> None:
    case = new_case(MONDAY)
    with database.write() as session:
        cases.add(session, case, subject="Retiro \x1b[31mrojo\x1b[0m", excerpt="", status_token="t")
        ledger.append(session, case.seal())
        cases.project(session, case)


def test_the_program_ends_with_the_code_of_what_became_of_it(plazo: Plazo, tmp_path: Path) -> None:
    code, said, complained = plazo.program("list", "--json")
    assert (code, json.loads(said), complained) == (0, {"items": [], "next": None}, "")
    code, said, complained = plazo.program("show", NOBODY)
    assert (code, said) == (1, "")
    assert NOBODY in complained
    assert plazo.program("list", "--limit", "0")[0] == 2
    assert Plazo(tmp_path, f"sqlite:///{tmp_path / 'nowhere.db'}").program("list")[0] == 3


def test_every_command_explains_itself(plazo: Plazo) -> None:
    shown = plazo.run("--help")
    for name in (
        "run",
        "list",
        "show",
        "timeline",
        "inbox",
        "verify",
        "explain",
        "migrate",
        "keys",
        "policy",
        "calendar",
    ):
        assert f" {name} " in shown
    for command in (
        ["list"],
        ["show"],
        ["timeline"],
        ["inbox"],
        ["verify"],
        ["migrate"],
        ["keys", "create"],
        ["policy", "check"],
    ):
        assert "Usage: plazo" in plazo.run(*command, "--help")


def test_what_is_misused_ends_with_2(plazo: Plazo) -> None:
    for wrong in (
        ["nonsense"],
        ["show"],
        ["list", "--limit", "0"],
        ["list", "--status", "solved"],
        ["list", "--due-before", "tomorrow"],
        ["verify"],
        ["verify", REFERENCE, "--all"],
        ["keys", "create", "two words", "agent"],
        ["keys", "create", "agent-7", "user"],
        ["keys", "create", "agent-7", "system"],
        ["policy", "check", str(plazo.var)],
    ):
        plazo.run(*wrong, code=2)
    assert "PLAZO_WEB_PORT" in plazo.run("list", code=2, PLAZO_WEB_PORT="x")


def test_what_is_not_found_or_refused_ends_with_1(plazo: Plazo) -> None:
    for missing in (
        ["show", NOBODY],
        ["show", "x"],
        ["timeline", NOBODY],
        ["verify", NOBODY],
        ["keys", "revoke", "key_x"],
    ):
        plazo.run(*missing, code=1)
    plazo.run("list", "--cursor", "nonsense", code=1)


@pytest.fixture
def fresh(tmp_path: Path, blank_records: Template) -> Plazo:
    """On records that nobody has migrated."""
    return Plazo(tmp_path, blank_records.fresh(tmp_path))


def test_records_that_are_away_end_with_3(fresh: Plazo) -> None:
    for command in (["list"], ["show", REFERENCE], ["inbox"], ["verify", "--all"], ["keys", "list"]):
        assert "plazo migrate" in fresh.run(*command, code=3)


def test_migrating(fresh: Plazo) -> None:
    assert "run `plazo migrate`" in fresh.run("migrate", "--check", code=1)
    assert "migrated" in fresh.run("migrate")
    assert "up to date" in fresh.run("migrate", "--check")
    assert fresh.data("list") == {"items": [], "next": None}


@pytest.mark.usefixtures("one_case")
def test_listing_and_showing(plazo: Plazo) -> None:
    lines = plazo.run("list").splitlines()
    assert [line.split("\t")[0] for line in lines] == ["REFERENCE", REFERENCE]
    # Local to the operator: the end of 9 February there.
    assert "2026-02-09 23:59" in lines[1]
    assert "\x1b" not in lines[1]
    listed = plazo.data("list", "--due-before", "2026-02-10")
    assert [(line["reference"], line["next_due_at"]) for line in listed["items"]] == [
        (REFERENCE, "2026-02-10T05:59:59Z")
    ]
    assert plazo.data("list", "--due-before", "2026-02-09")["items"] == []
    assert plazo.data("list", "--follow-up-before", "2026-12-31")["items"] == []
    shown = plazo.run("show", REFERENCE.lower())
    for words in (REFERENCE, "answer due       2026-03-16 23:59", "M3.2", "acknowledgement/1"):
        assert words in shown, words
    assert plazo.data("show", REFERENCE)["state"]["resolution_due"] == "2026-03-17T05:59:59Z"
    events = plazo.data("timeline", REFERENCE)
    assert [event["type"] for event in events][:2] == ["case.opened", "obligation.owed"]
    assert "case.opened" in plazo.run("timeline", REFERENCE)


def test_showing_what_areas_were_asked_and_verified(plazo: Plazo, database: Database) -> None:
    case = do(new_case(MONDAY), "refer", MONDAY, area="finance", question="paid?")
    case = do(case, "answer_referral", MONDAY, area="finance", findings="yes")
    for area in ("security", "legal", "operations"):
        case = do(case, "refer", MONDAY, area=area, question="so?")
    case = do(case, "withdraw_referral", MONDAY, area="legal", reasons="not needed")
    case.unverify(MONDAY)
    case = do(case, "verify", MONDAY, CX_LEAD, area="cx", findings="so it is")
    case.referrals[1] = case.referrals[1].model_copy(update={"passed_at": MONDAY})
    with database.write() as session:
        cases.add(session, case, subject="", excerpt="", status_token="t")
    lines = plazo.run("show", REFERENCE).splitlines()
    asked = "2026-02-02 10:30"
    for area, ending in (
        ("finance", f"answered {asked}"),
        ("security", "late"),
        ("legal", f"withdrawn {asked}"),
        ("operations", "-"),
    ):
        assert f"{area}\t{asked}\t2026-02-09 23:59\t{ending}" in lines
    assert f"finance\t{asked}\tfinance-lead\treferral\tno" in lines
    assert f"cx\t{asked}\tcx-lead\tfindings\tyes" in lines


@pytest.mark.usefixtures("one_case")
def test_a_list_goes_on_where_it_ended(plazo: Plazo, database: Database) -> None:
    with database.write() as session:
        other = new_case(MONDAY + timedelta(days=1), reference=SECOND)
        cases.add(session, other, subject="", excerpt="", status_token="u")
    first = plazo.data("list", "--limit", "1")
    rest = plazo.data("list", "--limit", "1", "--cursor", first["next"])
    assert [page["items"][0]["reference"] for page in (first, rest)] == [REFERENCE, SECOND]
    assert rest["next"] is None


@pytest.mark.usefixtures("one_case")
def test_a_chain_is_walked_and_a_forged_one_is_found(plazo: Plazo, database: Database) -> None:
    with database.read() as session:
        head = case_list.line(session, REFERENCE).head
    assert plazo.data("verify", REFERENCE) == {
        "verified": {REFERENCE: head},
        "broken": {},
        "hidden": {"verified": 0, "broken": 0},
    }
    assert f"{REFERENCE}\tok\t{head}" in plazo.run("verify", "--all")
    with database.write() as session:
        on_postgresql = session.connection().dialect.name == "postgresql"
        guard = (
            "ALTER TABLE events DISABLE TRIGGER events_no_change" if on_postgresql else "DROP TRIGGER events_no_update"
        )
        session.connection().execute(text(guard))
        session.connection().execute(text("UPDATE events SET type = 'case.closed' WHERE seq = 1"))
    broken = plazo.data("verify", "--all", code=1)
    assert list(broken["broken"]) == [REFERENCE]
    assert "event 1" in broken["broken"][REFERENCE]


@pytest.mark.parametrize("broken", [False, True])
def test_what_lies_in_a_compartment_is_walked_and_never_named(
    plazo: Plazo, database: Database, *, broken: bool
) -> None:
    case = new_case(MONDAY)
    case.compartment = ("compliance-1",)
    with database.write() as session:
        cases.add(session, case, subject="", excerpt="", status_token="t")
        ledger.append(session, case.seal())
        if not broken:
            cases.project(session, case)
    code = int(broken)
    assert plazo.run("verify", REFERENCE, code=1) == plazo.run("show", REFERENCE, code=1)
    assert plazo.data("verify", "--all", code=code) == {
        "verified": {},
        "broken": {},
        "hidden": {"verified": 1 - code, "broken": code},
    }
    assert plazo.run("verify", "--all", code=code) == f"in compartments\t{1 - code} ok\t{code} BROKEN\n"


def test_a_post_that_was_not_taken_is_not_named_where_its_inquiry_lies_in_a_compartment(
    plazo: Plazo, database: Database
) -> None:
    hidden = new_case(MONDAY, reference=SECOND)
    hidden.compartment = ("compliance-1",)
    with database.write() as session:
        url, wanted = "https://hooks.example.org/", ("inquiry.opened.v1",)
        hook = hooks.subscribe(session, url, wanted, "sealed", label="", made_by="s-1", now=MONDAY)
        for n, case in enumerate((new_case(MONDAY), hidden)):
            cases.add(session, case, subject="", excerpt="", status_token=str(n))
            ledger.append(session, case.seal())
            cases.project(session, case)
        deliveries.share_out(session, MONDAY)
        tried = [Tried(row.id or 0, 500, "answered 500") for row in deliveries.due(session, hook.id, MONDAY, 10)]
        deliveries.settle(session, hook.id, tried, MONDAY, jitter=1.0)
    assert len(tried) == 2
    (line,) = plazo.data("webhooks", "failing")
    assert line["reference"] == REFERENCE
    assert SECOND not in plazo.run("webhooks", "failing")


def test_keys_are_made_listed_and_revoked(plazo: Plazo, database: Database) -> None:
    offered = plazo.run("keys", "create", "--help")
    assert not any(role in offered for role in ("system", "user"))
    with database.write() as session, pytest.raises(Refused):
        keys.create(session, "plazo", Role.SYSTEM, MONDAY)
    secret = plazo.run("keys", "create", "agent-7", "agent", "--label", "desk").strip()
    with database.read() as session:
        actor = keys.verify(session, secret)
    assert actor is not None
    assert (actor.id, actor.role) == ("agent-7", Role.AGENT)
    listed = plazo.data("keys", "list")
    assert [(row["actor"], row["label"], row["revoked_at"]) for row in listed] == [("agent-7", "desk", None)]
    assert secret not in json.dumps(listed)
    assert "digest" not in listed[0]
    assert "revoked" in plazo.run("keys", "revoke", listed[0]["id"])
    with database.read() as session:
        assert keys.verify(session, secret) is None


@pytest.mark.usefixtures("one_case")
def test_what_waits_is_shown_with_its_reason(plazo: Plazo, database: Database) -> None:
    assert set(plazo.data("inbox")) == {"alarms", "waiting", "quarantine", "files", "feeds", "gaps"}
    assert not any(plazo.data("inbox").values())
    with database.write() as session:
        row = dispatches.add(session, REFERENCE, "start", {}, MONDAY)
    (one,) = plazo.data("inbox")["waiting"]
    assert (one["reference"], one["name"], one["since"]) == (REFERENCE, "start", "2026-02-02T16:30:00Z")
    assert (one["why"], one["dead"]) == ("on its way", False)
    said = plazo.run("inbox")
    assert "1 for Temporal" in said
    assert f"{REFERENCE}\tstart\t2026-02-02 10:30\t0\ton its way" in said
    assert "ALARM" not in said
    later = datetime.now(UTC) + timedelta(hours=1)
    with database.write() as session:
        for _ in range(dispatches.DEAD_AFTER):
            dispatches.retry(session, row.number, "UNAVAILABLE", later, refused=False)
    assert "ALARM" not in plazo.run("inbox"), "nobody was there to refuse it"
    with database.write() as session:
        for _ in range(dispatches.DEAD_AFTER):
            dispatches.retry(session, row.number, "INVALID_ARGUMENT: too large", later, refused=True)
    (one,) = plazo.data("inbox")["waiting"]
    assert (one["tries"], one["dead"]) == (10, True)
    assert f"ALARM  {REFERENCE}: Temporal refuses start: INVALID_ARGUMENT: too large" in plazo.run("inbox")


def test_what_waits_is_hurried(plazo: Plazo, database: Database) -> None:
    assert "nothing waits" in plazo.run("retry", REFERENCE)
    later = datetime.now(UTC) + timedelta(hours=1)
    with database.write() as session:
        row = dispatches.add(session, REFERENCE, "start", {}, MONDAY)
        dispatches.retry(session, row.number, "refused", later, refused=True)
        assert dispatches.claim(session, datetime.now(UTC), lease_seconds=1, limit=10) == []
    assert "1 to be handed over at once" in plazo.run("retry", REFERENCE)
    with database.write() as session:
        (claimed,) = dispatches.claim(session, datetime.now(UTC), lease_seconds=1, limit=10)
    assert claimed.attempts == 1


def test_feeds_gaps_and_files_are_shown(plazo: Plazo, database: Database) -> None:
    now = datetime.now(UTC)
    with database.write() as session:
        for name in ("imap", "telegram", "x"):
            feeds.hold(session, name, "email", "here", now=now, lease=timedelta(minutes=1))
        feeds.failed(session, "imap", "answered NO to the password", now)
        feeds.looked(session, "telegram", "7", now, holder="here", late=2)
        feeds.looked(session, "x", "7", now - timedelta(hours=1), holder="here")
        streams.add(session, [("telegram:1", 5), ("telegram:1", 8)], now)
    view = plazo.data("inbox")
    assert [(one["name"], one["late"], bool(one["failing_since"])) for one in view["feeds"]] == [
        ("imap", 0, True),
        ("telegram", 2, False),
        ("x", 0, False),
    ]
    assert view["gaps"] == [{"stream": "telegram:1", "first": 6, "last": 7}]
    assert len(view["alarms"]) == 3
    said = plazo.run("inbox")
    assert "ALARM  feed imap brings nothing in: answered NO to the password" in said
    assert "ALARM  feed x has not looked since" in said
    assert "ALARM  telegram:1: numbers are missing between 6 and 7" in said


def test_a_conversation_is_shown_harmless(plazo: Plazo, database: Database, tmp_path: Path) -> None:
    bench = Bench(database, tmp_path / "documents")
    words = "Hola \x1b[31mrojo\x1b[0m"
    reference = str(bench.intake.receive(message(text=words, full_text=words)).reference)
    said = plazo.run("thread", reference)
    assert "\x1b" not in said
    assert "<- 2026-02-02 10:30  email  received" in said
    (turn,) = plazo.data("thread", reference)
    assert (turn["direction"], turn["text"], turn["sender_verified"]) == ("in", words, True)
    assert NOBODY in plazo.run("thread", NOBODY, code=1)


def test_the_policy_is_checked(plazo: Plazo) -> None:
    assert "in order" in plazo.run("policy", "check")


def test_dates_are_explained_and_days_seeded(plazo: Plazo) -> None:
    explained = plazo.run("explain", "--received", "2026-03-27T09:00", "--business-days", "5")
    assert explained.splitlines()[-1] == "2026-04-07"
    assert "2026-05-01" in plazo.run("calendar", "seed", "--from", "2026", "--to", "2026")


def test_a_reader_that_goes_away_is_no_failure(plazo: Plazo) -> None:
    command = f"{PLAZO} calendar seed --from 2000 --to 2100 | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.stdout.startswith("# Closed days")
    assert "Traceback" not in done.stderr


def test_development_keys_are_made_once_and_anew_for_new_records(plazo: Plazo, database: Database) -> None:
    settings = Settings.model_validate({"var": plazo.var})
    made = dict(development_keys(settings, database, MONDAY))
    assert set(made) == set(HOLDERS)
    assert dict(development_keys(settings, database, MONDAY)) == made
    assert (plazo.var / "dev-api-key").stat().st_mode & 0o777 == 0o600
    with database.write() as session:
        actors = {role: keys.verify(session, secret) for role, secret in made.items()}
        assert all(actor is not None and actor.role is role for role, actor in actors.items())
        revoked = next(row.id for row in keys.list_keys(session) if row.role == Role.AGENT)
        keys.revoke(session, revoked, MONDAY)
    again = dict(development_keys(settings, database, MONDAY))
    assert again[Role.AGENT] != made[Role.AGENT]
    assert again[Role.SUPERVISOR] == made[Role.SUPERVISOR]


def test_somebody_registers_what_came_to_the_office(plazo: Plazo, database: Database) -> None:
    received = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    order = ("register", "--place", "office", "--received", received, "--by", "ana", "--email", "eva@example.org")
    first = plazo.data(*order, "--text", "Mi retiro no llegó.")
    assert first["new"]
    assert "was registered before" in plazo.run(*order, "--text", "Mi retiro no llegó.")
    with database.read() as session:
        case = cases.load(session, first["reference"])
    assert (case.channel, case.received_at.isoformat()) == ("office", received)
    assert "registration.place" in plazo.run(*order[:2], "moon", *order[3:], "--text", "x", code=1)
    assert "registration.malformed" in plazo.run(*order[:4], "yesterday", *order[5:], "--text", "x", code=1)
    assert "email" in plazo.run(*order[:-1], "nobody", "--text", "x", code=1)
    old = (*order[:4], "2020-01-01T00:00:00Z", *order[5:], "--text", "x")
    assert "registration.too-old" in plazo.run(*old, code=1)
