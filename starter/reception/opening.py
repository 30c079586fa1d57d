"""Opening an inquiry: its reference, its terms planned over a snapshot of closed days, its salt, its owner, its start.

Everything happens in the caller's transaction, so the promise exists before Temporal is asked (M3.1, M3.2, M3.4).
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, time

from sqlmodel import Session

from models.assignment import Matter
from models.calendar import BusinessCalendar
from models.case import Case
from models.due_dates import acknowledgement_due
from models.errors import RecordsUnavailable
from models.inquiry import EMAIL, SYSTEM, Actor, Address, Channel, Kind, Language
from models.opening import open_case
from models.policy import Policy
from models.reference import Chooser, new_reference
from models.urgency import notice_urgency, urgent_matter
from records import cases, contact_cases, dispatches
from starter.reception.crew import first_owner
from starter.reception.reaching import VISITED

SALT_BYTES = 32
TOKEN_BYTES = 32
REFERENCES_TRIED = 20
"""17 thousand million references: even with a million cases a second collision in a row is not to be seen."""


FIRST_WORDS = 200
"""What stands for the subject where a channel has none."""


@dataclass(frozen=True)
class Opening:
    """What an inquiry is opened with. `received_at` is its true reception (reading 2), aware UTC.

    `bound`: somebody vouches that the person is who the address says. `refers_to` is an earlier inquiry of the same
    person. `verified`: nobody else opened it under that person's address. `unreadable`: nobody here can read the
    message; `in_public`: everybody can, and no address is known yet.
    """

    channel: Channel
    contact: str
    addresses: tuple[Address, ...]
    bound: bool
    kind: Kind
    language: Language
    received_at: datetime
    subject: str
    text: str
    refers_to: str = ""
    verified: bool = True
    unreadable: bool = False
    in_public: bool = False


def open_inquiry(
    session: Session,
    opening: Opening,
    policy: Policy,
    now: datetime,
    *,
    actor: Actor = SYSTEM,
    random: Chooser | None = None,
) -> Case:
    """Add the case with its two promises and queue its start. `now` is the time of storing, aware UTC.

    From whom the inquiry that it refers to is kept, it is kept too.

    Raises CalendarError where the policy's calendar does not reach far enough.
    """
    chooser = random or secrets.SystemRandom()
    received = opening.received_at
    terms, calendar = policy.terms(), policy.snapshot(received)
    hold = _hold(session, opening, policy, calendar, now)
    earlier = cases.load(session, opening.refers_to) if opening.refers_to else None
    assigned = first_owner(session, policy, _matter(opening), now, earlier)
    for _ in range(REFERENCES_TRIED):
        case = open_case(
            Case(
                reference=new_reference(policy.operator.reference_prefix, chooser),
                kind=opening.kind,
                language=opening.language,
                channel=opening.channel,
                contact=opening.contact,
                salt=secrets.token_hex(SALT_BYTES),
                addresses=opening.addresses,
                visits=dict.fromkeys(VISITED, received),
                bound=opening.bound,
                received_at=received,
                submitted_at=received,
                opened_at=now,
                terms=terms,
                calendar=calendar,
                refers_to=opening.refers_to,
                owner=assigned.owner,
                area=assigned.area,
                compartment=earlier.compartment if earlier else None,
                about=earlier.about if earlier else (),
                channel_now=letters_channel(policy, opening.channel),
            ),
            actor=actor,
            hold_until=hold,
            unreadable=opening.unreadable,
            in_public=opening.in_public,
            assigned=assigned,
        )
        _say_kept(case, now, actor)
        notice_urgency(case, urgent_matter(f"{opening.subject}\n{opening.text}", policy.urgent.lines), now)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        if cases.add(session, case, subject=opening.subject, excerpt=opening.text, status_token=token):
            dispatches.add(session, case.reference, dispatches.START, {}, now)
            return case
    raise RecordsUnavailable("no free reference was found; nothing was stored, ask again")


def _say_kept(case: Case, now: datetime, actor: Actor) -> None:
    """The timeline says what it inherited."""
    if case.compartment is not None:
        case.record(now, "access.compartment", actor=actor, people=list(case.compartment))
    if case.about:
        case.record(now, "access.conflict", actor=actor, about=list(case.about))


def _matter(opening: Opening) -> Matter:
    words = opening.subject.strip() or opening.text[:FIRST_WORDS]
    return Matter(opening.kind, opening.channel, opening.language, words)


def letters_channel(policy: Policy, channel: Channel) -> Channel:
    """Name the channel that carries the letters to people of a channel (M3.7, M4.1)."""
    settings = policy.channels.named.get(channel)
    return settings.answered_by if settings else EMAIL


def _hold(
    session: Session, opening: Opening, policy: Policy, calendar: BusinessCalendar, now: datetime
) -> datetime | None:
    """Hold the acknowledgement back where the person has had their fill today: until the working hour of its last day.

    Until then somebody can look into it; then it leaves in any case, because the term runs on (M3.2).
    """
    midnight = calendar.from_local(datetime.combine(calendar.local_date(now), time()))
    opened = contact_cases.opened_since(session, opening.contact, midnight, verified=opening.verified)
    if opened < policy.mail.acknowledgements_per_address_per_day:
        return None
    last = calendar.local_date(acknowledgement_due(policy.terms(), calendar, opening.received_at))
    hold = calendar.at(last, policy.term_settings.working_hour)
    return hold if hold > now else None
