"""Writing down what happened: events into the ledger, the case into its projections, idempotent by case and number."""

from collections.abc import Callable
from datetime import datetime

from sqlmodel import Session
from temporalio import activity

from models.case import Case
from models.errors import LedgerError
from models.ledger import Event, Fact
from models.post import Acceptance
from models.work import RECORD, Recording, Tries, Written, tell_tries
from records import cases, incident_joins, ledger
from records.database import Database


class Events:
    """The port to the ledger. Thread-safe; every call is one transaction."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        """Write to `database`; `clock` gives aware UTC."""
        self.database, self.clock = database, clock

    @activity.defn(name=RECORD, no_thread_cancel_exception=True)
    def record(self, work: Recording) -> Written:
        """Append the case's pending facts and update its projection. Raises RecordsUnavailable; it is tried again."""
        flown, now = len(work.case.pending), self.clock()
        with self.database.write() as session:
            return ahead(session, work.case) or write_down(session, work.case, flown, now)


def write_down(
    session: Session,
    case: Case,
    flown: int,
    now: datetime,
    *,
    acceptance: Acceptance | None = None,
    tries: Tries | None = None,
) -> Written:
    """Seal everything pending and write it; the first `flown` facts are the workflow's own.

    `tries`: how often this step was tried, where more is known of it than of this call.
    """
    info = activity.info()
    mine = Tries(attempts=info.attempt, since=info.scheduled_time)
    tell_tries(case, info.activity_type, tries or mine, now)
    events = case.seal()
    ledger.append(session, events)
    cases.project(session, case)
    incident_joins.note(session, events, now)
    facts = tuple(_fact(event) for event in events[flown:])
    return Written(flown=flown, facts=facts, seq=case.seq, head=case.head, acceptance=acceptance)


def ahead(session: Session, case: Case) -> Written | None:
    """What the ledger knows already and the workflow does not: an answer of ours was lost on its way back.

    The workflow folds it in and goes on from there; nothing is written twice and nothing is skipped.

    LedgerError where the ledger ends before the case: the records were put back, and nothing is sent or written until
    what they lack is there again.
    """
    end = ledger.end(session, case.reference)[0]
    if end < case.seq:
        raise LedgerError(f"{case.reference}: the ledger has {end} events, the case {case.seq}; run `plazo rebuild`")
    if end == case.seq:
        return None
    events = ledger.of_case(session, case.reference, after=case.seq)
    facts = [_fact(event) for event in events]
    own = next((i for i, (mine, theirs) in enumerate(zip(case.pending, facts, strict=False)) if mine != theirs), None)
    flown = min(len(case.pending), len(facts)) if own is None else own
    return Written(
        flown=flown,
        facts=tuple(facts[flown:]),
        seq=events[-1].seq,
        head=events[-1].hash,
        acceptance=next((_acceptance(fact) for fact in facts[flown:] if fact.type == "letter.accepted"), None),
    )


def _fact(event: Event) -> Fact:
    return Fact(at=event.at, type=event.type, actor=event.actor, rule=event.rule, data=event.data, texts=event.texts)


def _acceptance(fact: Fact) -> Acceptance:
    return Acceptance(
        key=fact.data["key"],
        at=fact.at,
        provider_id=fact.data.get("provider_id", ""),
        duplicate=bool(fact.data.get("possible_duplicate", False)),
        wording=fact.data.get("wording", {}),
    )
