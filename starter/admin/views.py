"""What the admin API shows of an inquiry. All times are aware UTC; texts, subjects and senders are personal data."""

from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict

from models.agenda import Asked, FollowUp
from models.case import Case
from models.episodes import (
    Appeal,
    Escalation,
    Extension,
    FinalAnswer,
    Incident,
    Proposal,
    Referral,
    Remedy,
    Verification,
)
from models.identity import Representative
from models.inquiry import Actor
from models.ledger import Event
from models.letters import Letter
from models.tables import Notice, StoredAttachment, StoredMessage
from records.bindings import masked
from starter.http.problems import Fault

Words = Annotated[str, AfterValidator(masked)]
"""The words of a letter, without the one-time code that only its user may know."""


class View(BaseModel):
    """The root of all views; read from rows and values by name."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class LineView(View):
    """An inquiry in the list."""

    reference: str
    kind: str
    status: str
    channel: str
    area: str
    owner: str
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


class AttachmentView(View):
    """A file that came with a message; type and name are the sender's claims."""

    filename: str
    content_type: str
    size: int
    sha256: str


class MessageView(View):
    """A message as it came in."""

    id: str
    channel: str
    reference: str | None
    received_at: AwareDatetime
    stored_at: AwareDatetime
    sender: str
    sender_name: str
    sender_verified: bool
    third_party: bool
    disposition: str
    disposition_reason: str
    kind: str
    language: str | None
    subject: str
    text: str
    attachments: tuple[AttachmentView, ...]

    @classmethod
    def of(cls, message: StoredMessage, files: list[StoredAttachment]) -> "MessageView":
        """Show a message with its files."""
        shown = {name: getattr(message, name) for name in cls.model_fields if name != "attachments"}
        return cls.model_validate({**shown, "attachments": [AttachmentView.model_validate(file) for file in files]})


class LetterView(View):
    """A letter and how its delivery stands. `name` leads to its words: .../letters/<name>.

    `state`: owed, sending, refused, accepted, delivered, bounced, failed or void.
    """

    name: str
    key: str
    kind: str
    state: str
    channel: str
    subject: str
    copy_of: str
    meets: tuple[int, ...]
    created_at: AwareDatetime
    due: AwareDatetime | None
    tells: AwareDatetime | None
    not_before: AwareDatetime | None
    tries: int
    accepted_at: AwareDatetime | None
    delivered_at: AwareDatetime | None
    bounced_at: AwareDatetime | None
    possible_duplicate: bool
    last_error: str
    provider_id: str
    message_id: str
    template: str
    version: str
    head: str

    @classmethod
    def of(cls, letter: Letter, notice: Notice | None, reference: str) -> "LetterView":
        """Show a letter of the case with what was sent of it."""
        address = letter.address.channel if letter.address else ""
        return cls(
            name=letter.key.removeprefix(f"{reference}/"),
            key=letter.key,
            kind=letter.kind.value,
            state=notice.state if notice else letter.state.value,
            channel=notice.channel if notice else address,
            subject=notice.subject if notice else "",
            copy_of=letter.copy_of,
            meets=letter.meets,
            created_at=letter.created_at,
            due=letter.due,
            tells=letter.tells,
            not_before=letter.not_before,
            tries=notice.tries if notice else 0,
            accepted_at=notice.accepted_at if notice else letter.accepted_at,
            delivered_at=notice.delivered_at if notice else letter.delivered_at,
            bounced_at=notice.bounced_at if notice else letter.bounced_at,
            possible_duplicate=notice.possible_duplicate if notice else letter.duplicate,
            last_error=notice.last_error if notice else "",
            provider_id=notice.provider_id if notice else letter.provider_id,
            message_id=notice.message_id if notice else "",
            template=notice.template if notice else "",
            version=notice.version if notice else "",
            head=notice.head if notice else "",
        )


class ProposedPoint(View):
    """A point that a message seems to raise; keep it, or put it aside, by its id."""

    id: str
    point: str
    message: str


class PointView(ProposedPoint):
    """A point kept with the inquiry; with `dropped`, the reason why it is none, it wants no answer."""

    dropped: str
    at: AwareDatetime


class PointsView(View):
    """What the user raised: what people keep, and what the messages seem to raise besides."""

    points: tuple[PointView, ...]
    proposed: tuple[ProposedPoint, ...]


class GateView(View):
    """What a final answer lacks. `second_pair`: another person must approve it; `refused`: what else forbids it."""

    ready: bool
    second_pair: bool
    missing: tuple[Fault, ...]
    refused: Fault | None


class PreviewView(View):
    """A letter as it would leave if the proposal were approved now; `full_text` where only a pointer would leave."""

    kind: str
    channel: str
    language: str
    subject: str
    text: Words
    html: Words
    full_text: Words
    full_html: Words


class ProposalView(View):
    """What waits for a second pair of eyes, and what would be sent. `due`: by when it is owed all the same.

    `stale`: the user wrote after it was proposed, so it must be proposed anew; `refused`: why it could not be decided
    as things stand.
    """

    command: str
    order: dict[str, Any]
    draft: dict[str, Any]
    proposer: str
    at: AwareDatetime
    due: AwareDatetime | None
    stale: bool
    refused: Fault | None
    letters: tuple[PreviewView, ...]


class CaseView(View):
    """One inquiry whole: how it stands, what is and was owed, what happened, what was said on both sides."""

    state: StateView
    obligations: tuple[ObligationView, ...]
    timeline: tuple[EventView, ...]
    messages: tuple[MessageView, ...]
    letters: tuple[LetterView, ...]


class LetterText(View):
    """A letter's words as they left, but for the code of a link; `sha256` is of the words with it.

    `full_text` is the complete letter where only a pointer to it left.
    """

    key: str
    subject: str
    language: str
    state: str
    sha256: str
    text: Words
    html: Words
    full_text: Words
    full_html: Words


class Me(View):
    """Whose key this is."""

    id: str
    role: str
    may_command: bool


class QuarantineView(View):
    """What waits for a person, the oldest first."""

    items: tuple[MessageView, ...]


class Promotion(View):
    """The inquiry that a message out of quarantine opened or joined; the reception is the message's."""

    reference: str
    acknowledge_by: AwareDatetime | None
    answer_by: AwareDatetime | None
