"""Telling a tracker of one incident: opened there once, found again after a lost answer, closed there with the case.

What was tried is kept before every call. Nothing here writes into the chain of a case: the workflow records what the
tracker answered.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from sqlmodel import Session
from temporalio import activity
from temporalio.exceptions import ApplicationError

from models.area_work import Incident
from models.errors import ChannelError, OperatorError, UnknownInquiry, UnknownOutcome
from models.incidents import incident_key
from models.sections.tracker import Tracker as TrackerPolicy
from models.tables import IncidentRow
from models.work import TRACK, Errand, Told
from records import cases, documents, incidents
from records.database import Database
from trackers.port import Draft, Ref, Tracker
from trackers.registry import Trackers

ASK_AGAIN = timedelta(seconds=10)
"""How often a try with an unknown end looks for what it may have opened."""

UNDER_WAY = timedelta(seconds=60)
"""How long a try keeps others from opening the same incident; a process that died holds it no longer."""

T = TypeVar("T")
log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Incidents:
    """The port to the trackers. `clock` gives aware UTC; `slowly` is the pause after a fault of our own account."""

    database: Database
    trackers: Trackers
    policy: TrackerPolicy
    clock: Callable[[], datetime]
    slowly: timedelta = timedelta(minutes=5)

    @activity.defn(name=TRACK, no_thread_cancel_exception=True)
    def track(self, errand: Errand) -> Told:
        """Tell the tracker what it does not know. Raises ApplicationError; it is tried again, for ever."""
        key = incident_key(errand.reference, errand.incident.n)
        with self.database.write() as session:
            incident = _latest(session, errand)
            row = incidents.place(
                session,
                incident,
                key=key,
                reference=errand.reference,
                tracker=self.trackers.use,
                title=self.policy.title(errand.reference, incident.n, incident.matter),
            )
        ended = incident.over and incident.closed_here
        if ended and not row.tracker_id and not row.unsure:
            return self._ended(row, incident)  # nobody outside ever heard of it
        if not row.tracker_id:
            row = self._open(row, incident)
        if ended:
            self._call(key, lambda: self._tracker(row).close(row.tracker_id, key, incident.state))
            return self._ended(row, incident)
        return _told(row, incident, row.linked_at or self.clock())

    def _open(self, row: IncidentRow, incident: Incident) -> IncidentRow:
        tracker, found = self._call(row.key, lambda: self._tracker(row)), None
        if row.unsure:
            found = self._call(row.key, lambda: tracker.find(row.key))
            settled = (row.tried_at or self.clock()) + tracker.settles
            if found is None and self.clock() < settled:
                raise _later("the last try may have opened it; looking again", settled - self.clock())
        if found is None:
            found = self._create(row, incident, tracker)
        now = self.clock()
        with self.database.write() as session:
            return incidents.linked(session, row.key, incidents.Link(*found), now)

    def _create(self, row: IncidentRow, incident: Incident, tracker: Tracker) -> Ref:
        draft = self._call(row.key, lambda: self._draft(row, incident, tracker))
        now, again = self.clock(), row.unsure and bool(tracker.settles)
        with self.database.write() as session:
            if not incidents.begin(session, row.key, tracker.name, now, now + UNDER_WAY, duplicate=again):
                raise _later("another try is under way", UNDER_WAY)
        return self._call(row.key, lambda: tracker.create(draft), changes=True)

    def _draft(self, row: IncidentRow, incident: Incident, tracker: Tracker) -> Draft:
        """What the tracker is told: outside the house no more than the policy lets leave."""
        if tracker.outside and self.policy.leaves == "reference":
            return Draft(row.key, row.reference, row.title, "", row.area)
        with self.database.read() as session:
            try:
                kept = documents.draft(session, incident.draft)
            except KeyError:
                kept = None
        if kept is None or kept.reference != row.reference:
            raise OperatorError("the description of the incident is not among this inquiry's drafts; close it")
        return Draft(row.key, row.reference, row.title, str(kept.content.get("text", "")), row.area)

    def _tracker(self, row: IncidentRow) -> Tracker:
        """The tracker that has the incident, or may have it; else the one that policy wants."""
        name = row.tracker if row.tracker_id or row.unsure else self.trackers.use
        if name in self.trackers.by_name:
            return self.trackers.by_name[name]
        raise OperatorError(f"the tracker {name} has this incident, and is switched off in the policy; enable it")

    def _call(self, key: str, call: Callable[[], T], *, changes: bool = False) -> T:
        """Make a call, or note how it ended and say when to go on: slowly, after the tracker's own wish, or soon."""
        try:
            return call()
        except ChannelError as error:
            fault, unknown, now = isinstance(error, OperatorError), isinstance(error, UnknownOutcome), self.clock()
            with self.database.write() as session:
                unsure = unknown if changes else None
                incidents.failed(session, key, error.detail, now, fault=fault, unsure=unsure)
            if fault:
                log.error("tracker.fault", incident=key, why=error.detail)  # noqa: TRY400 - said in full
                raise _again(error, self.slowly) from None
            wait = timedelta(seconds=error.retry_after) if error.retry_after is not None else None
            raise _again(error, wait or (ASK_AGAIN if unknown else None)) from None

    def _ended(self, row: IncidentRow, incident: Incident) -> Told:
        now = self.clock()
        with self.database.write() as session:
            incidents.ended(session, row.key, incident.state, now)
        return _told(row, incident, now).model_copy(update={"over": True})


def _latest(session: Session, errand: Errand) -> Incident:
    """The incident as last saved where that has ended: a try may go on for days, and need not open it any more."""
    try:
        saved = cases.load(session, errand.reference).incident(errand.incident.n)
    except UnknownInquiry:
        saved = None
    return saved if saved is not None and saved.over else errand.incident


def _told(row: IncidentRow, incident: Incident, at: datetime) -> Told:
    return Told(n=incident.n, at=at, tracker=row.tracker, id=row.tracker_id, url=row.url)


def _later(why: str, wait: timedelta) -> ApplicationError:
    return ApplicationError(why, type=UnknownOutcome.__name__, next_retry_delay=min(wait, ASK_AGAIN))


def _again(error: ChannelError, wait: timedelta | None) -> ApplicationError:
    return ApplicationError(error.detail, type=type(error).__name__, next_retry_delay=wait)
