"""What the workflow asks of its activities, and what they give back.

Those that record and deliver get the case as it stands, write its pending facts into the ledger and its projection into
the tables, and answer with the chain as it stands after that. All fields are additive.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime

from models.area_work import Incident
from models.case import Case
from models.inquiry import Wire
from models.ledger import GENESIS, Fact
from models.post import Acceptance, accept

RECORD = "record"
"""The activity that appends pending facts and updates the projection."""

DELIVER = "deliver"
"""The activity that renders, sends and records one letter, pending facts in the same transaction."""

INSIST = "insist"
"""The activity that tries on with a letter that was stuck, beside all else; it writes nothing into the chain."""

TRACK = "track"
"""The activity that tells a tracker of an incident, and of its end; it writes nothing into the chain."""

ERASE = "erase"
"""The activity that empties a closed case's texts, files and addresses; it writes nothing into the chain."""

ALERT = "alert"
"""The activity that tells a colleague, and writes nothing into the chain."""

DIGEST = "digest"
"""The activity that tells every colleague in the morning what waits for them."""

ABOUT_STEPS = "step."
"""The facts that an activity adds about itself, such as its retries."""

RECIPIENT_FAILED = "RecipientFailed"
"""The type of the one error with which a delivery ends for good: this address will never take it."""


class InquiryInput(Wire):
    """What an inquiry's workflow starts with: a case freshly opened, carried by continue-as-new, or resumed."""

    case: Case
    timeline: tuple[Fact, ...] = ()


class Recording(Wire):
    """Append what is pending."""

    case: Case


class Delivery(Wire):
    """Send the letter with this key, and append what is pending. `since`: when it was first tried, if it was before."""

    case: Case
    letter: str
    since: AwareDatetime | None = None


class Errand(Wire):
    """Tell the tracker of this incident as it stands."""

    reference: str
    incident: Incident


class Erasing(Wire):
    """Erase what the records hold of this case."""

    case: Case


class Tries(Wire):
    """How often a step was tried, as far as anybody counted, and since when."""

    attempts: int
    since: AwareDatetime


class Insisted(Wire):
    """What became of a stuck letter: its acceptance, or None where it is no longer the next to leave."""

    acceptance: Acceptance | None = None
    tries: Tries | None = None


class Told(Wire):
    """What the tracker knows now: the incident under its own `id` where it has one, and whether that it is over."""

    n: int
    at: AwareDatetime
    tracker: str = ""
    id: str = ""
    url: str = ""
    over: bool = False


class Written(Wire):
    """What was written: how many of the pending facts, the facts that the acceptance added, the new chain."""

    flown: int = 0
    facts: tuple[Fact, ...] = ()
    seq: int = 0
    head: str = GENESIS
    acceptance: Acceptance | None = None


def tell_tries(case: Case, step: str, tries: Tries, at: datetime) -> None:
    """A step that took several tries says so: the story of an outage stands in the timeline (reading 10)."""
    if tries.attempts > 1:
        case.record(at, "step.retried", step=step, attempts=tries.attempts, since=tries.since)


def absorb(case: Case, written: Written) -> tuple[Fact, ...]:
    """Fold what an activity wrote into the case, which may have moved on meanwhile; return the facts now in the chain.

    Facts that arrived during the flight stay pending and follow in the chain. Where they changed what the acceptance
    did, the chain says so: what was written too soon is revised by what holds.
    """
    flown, later = case.pending[: written.flown], case.pending[written.flown :]
    case.pending = []
    if written.acceptance:
        accept(case, written.acceptance)
    mine = case.pending
    if written.acceptance:
        later = [*_revision(written.acceptance, written.facts, mine, later), *later]
    case.pending = later
    case.seq, case.head = written.seq, written.head
    return (*flown, *written.facts)


def _revision(
    acceptance: Acceptance, written: Sequence[Fact], mine: Sequence[Fact], later: Sequence[Fact]
) -> Iterator[Fact]:
    """What the chain says wrongly since the case moved on during the flight, and what holds instead."""
    holds = [_what(fact) for fact in (*mine, *later)]
    undone = [fact for fact in written if _what(fact) not in holds and not fact.type.startswith(ABOUT_STEPS)]
    if undone:
        said = [f"{fact.type} {fact.data.get('n', '')}".strip() for fact in undone]
        yield Fact(at=acceptance.at, type="acceptance.revised", data={"letter": acceptance.key, "undone": said})
    known = [_what(fact) for fact in written]
    yield from (fact for fact in mine if _what(fact) not in known)


def _what(fact: Fact) -> tuple[str, dict[str, Any]]:
    return fact.type, fact.data
