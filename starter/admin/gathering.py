"""What was raised in an inquiry on all its ways in: its messages, and those of what was merged into it (M3.8)."""

from sqlmodel import Session

from models.case import Case
from models.tables import StoredMessage
from records import cases, ledger, messages


def gathered(session: Session, case: Case) -> list[Case]:
    """Return the case, then all that was merged into it, and into those, in the order of their mergers.

    One that is kept from more people than the case itself is left out: whoever sees the case would read it here.
    """
    found = [case]
    for leading in found:
        for reference in ledger.merged_with(session, leading.reference):
            if any(one.reference == reference for one in found) or not cases.reference_exists(session, reference):
                continue
            other = cases.load(session, reference)
            if other.merged_into == leading.reference and not kept_from_more(other, case):
                found.append(other)
    return found


def messages_of(session: Session, case: Case) -> list[StoredMessage]:
    """Return the messages of all of them, each one's in the order of storing."""
    return [row for one in gathered(session, case) for row in messages.of_case(session, one.reference)]


def kept_from_more(other: Case, case: Case) -> bool:
    """Say whether a compartment or a conflict of interest keeps another case from somebody who sees this one."""
    if set(other.about) - set(case.about):
        return True
    if other.compartment is None:
        return False
    return case.compartment is None or bool(set(case.compartment) - set(other.compartment))
