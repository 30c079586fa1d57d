"""An inquiry as the admin API shows it: in the list, and whole. Times are aware UTC; texts are personal data."""

from typing import Any

from pydantic import AwareDatetime
from sqlmodel import Session

from models.agenda import Asked, FollowUp
from models.area_work import Incident, Referral, Verification
from models.case import Case
from models.episodes import Appeal, Escalation, Extension, FinalAnswer, Proposal, Remedy
from models.errors import UnknownInquiry
from models.identity import Representative
from models.inquiry import Actor
from models.ledger import Event
from models.reference import is_reference
from records import cases, ledger, messages, notices, obligations
from starter.admin.letter_views import LetterView
from starter.admin.message_views import MessageView, message_views
from starter.admin.views import View


class LineView(View):
    """An inquiry in the list."""

    reference: str
    kind: str
    status: str
    channel: str
    area: str
    owner: str
    cause: str | None
    language: str
    flags: tuple[str, ...]
    next_obligation: str
    next_due_at: AwareDatetime | None
    resolution_due_at: AwareDatetime | None
    follow_up_at: AwareDatetime | None
    received_at: AwareDatetime
    closed_at: AwareDatetime | None
    version: int
    subject: str
    excerpt: str


class PageView(View):
    """Part of the list, the next due first; `next_cursor` leads to the rest."""

    items: tuple[LineView, ...]
    next_cursor: str | None


class ObligationView(View):
    """One promise: its rule, its due date, and what became of it."""

    n: int
    kind: str
    rule: str
    due: AwareDatetime
    state: str
    why: str
    actor: str
    subject: str
    created_at: AwareDatetime
    met_at: AwareDatetime | None
    met_by: str
    missed_at: AwareDatetime | None
    superseded_at: AwareDatetime | None
    superseded_by: int | None
    superseded_why: str
    exhausted_at: AwareDatetime | None


class StateView(View):
    """How a case stands. `told` is the answer date the user has in writing; `version` goes into If-Match."""

    reference: str
    version: int
    status: str
    kind: str
    language: str
    channel: str
    channel_now: str
    area: str
    owner: str
    flags: tuple[str, ...]
    bound: bool
    contact: str
    refers_to: str
    compartment: tuple[str, ...] | None
    about: tuple[str, ...]
    merged_into: str
    unread: int
    received_at: AwareDatetime
    submitted_at: AwareDatetime
    opened_at: AwareDatetime
    resolution_due: AwareDatetime | None
    told: AwareDatetime | None
    information_asked_at: AwareDatetime | None
    representative: Representative | None
    linked: tuple[str, ...]
    asked: tuple[Asked, ...]
    follow_ups: tuple[FollowUp, ...]
    withdrawn_at: AwareDatetime | None
    window_ends: AwareDatetime | None
    closed_at: AwareDatetime | None
    referrals: tuple[Referral, ...]
    verifications: tuple[Verification, ...]
    incidents: tuple[Incident, ...]
    remedies: tuple[Remedy, ...]
    extensions: tuple[Extension, ...]
    escalation: Escalation | None
    final: FinalAnswer | None
    appeals: tuple[Appeal, ...]
    proposal: Proposal | None
    proposal_due: AwareDatetime | None
    policy: str
    calendar: str
    head: str
    seq: int

    @classmethod
    def of(cls, case: Case) -> "StateView":
        """Show a case as last saved."""
        derived = {"policy": case.terms.policy_version, "calendar": case.calendar.version}
        return cls.model_validate(
            {name: getattr(case, name) for name in cls.model_fields if name not in derived} | derived
        )


class EventView(View):
    """One event of the ledger with the texts that are still there."""

    seq: int
    at: AwareDatetime
    type: str
    actor: Actor
    rule: str
    data: dict[str, Any]
    texts: dict[str, str]
    previous: str
    hash: str

    @classmethod
    def of(cls, event: Event) -> "EventView":
        """Show an event."""
        return cls.model_validate(event)


class CaseView(View):
    """One inquiry whole: how it stands, what is and was owed, what happened, what was said on both sides."""

    state: StateView
    obligations: tuple[ObligationView, ...]
    timeline: tuple[EventView, ...]
    messages: tuple[MessageView, ...]
    letters: tuple[LetterView, ...]


def checked(reference: str) -> str:
    """The reference as we write it. Raises UnknownInquiry for what cannot be one."""
    written = reference.strip().upper()
    if not is_reference(written):
        raise UnknownInquiry(f"{reference[:40]!r} is no reference; one reads like RX-7KQ4-M2PD")
    return written


def case_view(session: Session, reference: str) -> CaseView:
    """Everything about one inquiry. Raises UnknownInquiry."""
    case = cases.load(session, reference)
    sent = {notice.key: notice for notice in notices.of_case(session, reference)}
    return CaseView(
        state=StateView.of(case),
        obligations=tuple(ObligationView.model_validate(row) for row in obligations.of_case(session, reference)),
        timeline=tuple(EventView.of(event) for event in ledger.of_case(session, reference)),
        messages=message_views(session, messages.of_case(session, reference)),
        letters=tuple(LetterView.of(letter, sent.get(letter.key), reference) for letter in case.letters),
    )
