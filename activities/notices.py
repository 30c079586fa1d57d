"""Sending the letters of a case, and recording with its events that a channel has accepted one.

A letter that is stuck is tried on beside all else: then its acceptance alone is recorded here, and the rest is the
workflow's, so that the chain keeps its one writer.
"""

from sqlmodel import Session
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.events import ahead, write_down
from activities.sending import Sending
from channels.letter import Accepted
from models.inquiry import Channel
from models.letters import Letter
from models.post import Acceptance, accept
from models.work import DELIVER, INSIST, Delivery, Insisted, Tries, Written
from records import cases, notices


class Notices(Sending):
    """The two ways in which the workflow has a letter sent."""

    @activity.defn(name=DELIVER, no_thread_cancel_exception=True)
    def deliver(self, errand: Delivery) -> Written:
        """Send the letter, once. Raises ApplicationError; all but a dead address are tried again for ever."""
        case, (letter, channel) = errand.case, _owed(errand)
        with self.database.read() as session:
            if known := ahead(session, case):
                return known
        accepted = self.leave(case, letter, channel)
        flown, now = len(case.pending), self.clock()
        with self.database.write() as session:
            # Kept first: where the chain went on without this try, the next one finds that the letter has left.
            acceptance, tries = _acceptance(session, errand, letter, accepted)
            if known := ahead(session, case):
                return known
            accept(case, acceptance)
            return write_down(session, case, flown, now, acceptance=acceptance, tries=tries)

    @activity.defn(name=INSIST, no_thread_cancel_exception=True)
    def insist(self, errand: Delivery) -> Insisted:
        """Try a stuck letter again, once, if it is to leave still. Raises ApplicationError as `deliver` does.

        The errand may have been given long ago: the records tell how the case stands by now.
        """
        (letter, channel), now = _owed(errand), self.clock()
        with self.database.read() as session:
            case = cases.load(session, errand.case.reference) if ahead(session, errand.case) else errand.case
            if not case.its_turn(letter, now) and not notices.accepted_before(session, letter.key):
                return Insisted()
        accepted = self.leave(case.model_copy(update={"pending": []}), letter, channel)
        with self.database.write() as session:
            acceptance, tries = _acceptance(session, errand, letter, accepted)
        return Insisted(acceptance=acceptance, tries=tries)


def _owed(errand: Delivery) -> tuple[Letter, Channel]:
    letter = errand.case.letter(errand.letter)
    if letter is None or letter.address is None:
        raise ApplicationError(f"{errand.letter} cannot leave: the case owes it nowhere", type="UnknownLetter")
    return letter, letter.address.channel


def _acceptance(
    session: Session, errand: Delivery, letter: Letter, accepted: Accepted | None
) -> tuple[Acceptance, Tries]:
    """Keep that a channel took the letter, which stands from the first time, and count what it took to get there."""
    if accepted is None:
        accepted = _proof(session, letter)
    fate, info = notices.accepted(session, letter.key, accepted.at, accepted.provider_id), activity.info()
    acceptance = Acceptance(
        key=letter.key,
        at=fate.accepted_at or accepted.at,
        provider_id=fate.provider_id,
        duplicate=fate.possible_duplicate,
        wording=fate.wording,
    )
    # A call that came before this one tried it once at least; the letter itself knows of those that reached a channel.
    attempts = max(fate.tries, info.attempt + (1 if errand.since else 0))
    since = [at for at in (info.scheduled_time, errand.since, fate.first_tried_at) if at]
    return acceptance, Tries(attempts=attempts, since=min(since))


def _proof(session: Session, letter: Letter) -> Accepted:
    """The acceptance that is known already: recorded by an earlier try, or proved by the provider's event."""
    notice, event = notices.find(session, letter.key), notices.evidence(session, letter.key)
    if notice and notice.accepted_at:
        return Accepted(provider_id=notice.provider_id, at=notice.accepted_at)
    if event is None:
        raise ApplicationError("the proof of acceptance is gone", type="NoProof")
    return Accepted(provider_id="", at=event.at)
