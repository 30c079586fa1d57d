"""Erasing a closed case's texts, files and addresses from the records, at the decision of two colleagues."""

from collections.abc import Callable
from datetime import datetime

from temporalio import activity

from models.erasing import Wiped, erased
from models.work import ERASE, Erasing
from records import audit, cases, erasing
from records.database import Database
from records.documents import AttachmentStore


class Erasures:
    """The port to what can be erased. Thread-safe."""

    def __init__(self, database: Database, files: AttachmentStore, clock: Callable[[], datetime]) -> None:
        """Erase from `database` and `files`; `clock` gives aware UTC."""
        self._database, self._files, self._clock = database, files, clock

    @activity.defn(name=ERASE, no_thread_cancel_exception=True)
    def erase(self, work: Erasing) -> Wiped:
        """Erase in one transaction, and from the log of the database. Raises RecordsUnavailable; it is tried again.

        A try after a lost answer finds nothing left and says so in the counts; the addresses it names are the same.
        """
        case, now = work.case, self._clock()
        with self._database.write() as session:
            wiped = erasing.wipe(session, case, self._files, now)
            # As the workflow will: another inquiry of the same person, erased next, must know of it.
            erased(case, wiped)
            cases.project(session, case)
            if wiped.texts and case.erasure and case.erasure.decided_by:
                who = case.erasure.decided_by.id
                audit.note(session, now, who, "inquiry.erased", case.reference, audit.Outcome.DONE)
        self._database.forget()
        return wiped
