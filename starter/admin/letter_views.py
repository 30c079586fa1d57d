"""A letter as the admin API shows it: how it stands, and its words, which are personal data. Times are aware UTC."""

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime
from sqlmodel import Session

from models.letters import Letter
from models.tables import Notice
from records import notices
from records.bindings import masked
from starter.admin.views import View

Words = Annotated[str, AfterValidator(masked)]
"""The words of a letter, without the one-time code that only its user may know."""


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


def letter_text(session: Session, reference: str, name: str) -> LetterText | None:
    """The words of a letter; `name` is `<kind>/<n>`, the whole key, or its place among the letters begun, from 1."""
    begun = notices.of_case(session, reference)
    for place, notice in enumerate(begun, 1):
        if name in {str(place), notice.key, notice.key.removeprefix(f"{reference}/")}:
            return LetterText.model_validate(notice)
    return None
