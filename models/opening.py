"""How a case begins: its two promises, and the first letter owed."""

from datetime import datetime

from models.case import Case
from models.episodes import Assigned
from models.inquiry import SYSTEM, Actor, public_address
from models.letters import LetterKind
from models.promises import promise


def open_case(
    case: Case,
    *,
    actor: Actor = SYSTEM,
    hold_until: datetime | None = None,
    unreadable: bool = False,
    in_public: bool = False,
    assigned: Assigned | None = None,
) -> Case:
    """Make the two promises of every inquiry (M3.2, M3.4) and owe its acknowledgement.

    `hold_until` holds the letter back where an address has had its fill of acknowledgements today; the term runs on.
    `unreadable`: the sender must be told that the message cannot be read here. `in_public`: it was posted where
    everybody can read, and is answered there only with an invitation to go on in private. `assigned`: how the owner was
    found.
    """
    now = case.opened_at
    case.record(
        now,
        "case.opened",
        actor=actor,
        rule="M3.1",
        kind=case.kind.value,
        channel=case.channel,
        received_at=case.received_at,
        submitted_at=case.submitted_at,
        policy=case.terms.policy_version,
        calendar=case.calendar.version,
        refers_to=case.refers_to or None,
        assignment=assigned.model_dump(mode="json") if assigned else None,
    )
    acknowledgement, final = promise(case, case.start, now, why="received", actor=actor)
    case.write(
        LetterKind.ACKNOWLEDGEMENT, now, meets=(acknowledgement.n,), tells=final.due, not_before=hold_until, actor=actor
    )
    if unreadable:
        case.write(LetterKind.UNREADABLE, now, actor=actor)
    if in_public:
        case.write(LetterKind.INVITATION, now, to=public_address(case.channel), actor=actor)
    return case
