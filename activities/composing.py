"""From a letter that a case owes to the row that is kept and the mail that leaves."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from activities.letters.complete import complete
from activities.letters.context import build_context
from activities.letters.memos import Memos
from activities.letters.rendering import Letters, Rendered
from channels.letter import LONGEST_ADDRESS, OutboundLetter
from channels.tokens import reply_token
from models.case import Case
from models.errors import OperatorError, RecipientError
from models.inquiry import AUTHORITY, CHAT, EMAIL, PUBLIC
from models.letters import FINALS, Letter, LetterKind
from models.policy import Policy
from models.tables import Notice, StoredMessage
from records import cases, contacts, documents, messages, notices
from records.bindings import spelled_out
from settings import Settings

ACKNOWLEDGING = {LetterKind.ACKNOWLEDGEMENT, LetterKind.ACKNOWLEDGEMENT_LATE}
BY_PEOPLE = {*FINALS.values(), LetterKind.REPLY, LetterKind.INFORMATION_REQUEST, LetterKind.AUTHORITY_REPLY}


@dataclass(frozen=True)
class Stationery:
    """What every letter of this operator is written with.

    `reply_secret` signs the tokens of reply addresses, and makes the codes of links.
    """

    policy: Policy
    letters: Letters
    memos: Memos
    status_base_url: str
    mail_domain: str
    reply_secret: bytes

    @classmethod
    def of(cls, settings: Settings, policy: Policy) -> "Stationery":
        """What the settings' house writes with: in production what compliance has approved. Raises PolicyError."""
        approved = settings.environment == "production"
        return cls(
            policy=policy,
            letters=Letters.load(settings.policy, approved=approved),
            memos=Memos.load(settings.policy, approved=approved),
            status_base_url=settings.status_base_url or policy.operator.status_base_url,
            mail_domain=settings.mail_domain,
            reply_secret=settings.reply_secret.get_secret_value().encode(),
        )


def compose(session: Session, case: Case, letter: Letter, stationery: Stationery, now: datetime) -> Notice:
    """Write a letter down as it will leave, but for the code of a link, which its hash counts in.

    `case.head` must be the chain as it stands before it. Raises OperatorError where the letter has no address, or lacks
    what a final answer must say.
    """
    if letter.address is None:
        raise OperatorError("the letter has no address yet")
    quoted = _quoted(session, letter)
    context = build_context(
        case,
        letter,
        policy=stationery.policy,
        draft=_draft(session, letter.draft) if letter.draft else None,
        words=quoted.text if quoted else _words(session, case),
        written_at=quoted.received_at if quoted else None,
        status_link=f"{stationery.status_base_url.rstrip('/')}/s/{cases.status_token(session, case.reference)}",
        now=now,
    )
    leaving = stationery.letters.render(context)
    full = None if context.bound else stationery.letters.render(context, full=True)
    for rendered in filter(None, (leaving, full)):
        complete(rendered, context)
    return Notice(
        key=letter.key,
        reference=case.reference,
        kind=letter.kind.value,
        address_id=letter.address.id,
        channel=letter.address.channel,
        template=leaving.template,
        version=leaving.version,
        wording={**leaving.wording, **(full.wording if full else {})},
        language=leaving.language.value,
        subject=leaving.subject,
        text=leaving.text,
        html=leaving.html,
        full_text=full.text if full else "",
        full_html=full.html if full else "",
        sha256=notices.letter_hash(*_in_full(letter.kind, leaving, case.reference, stationery)),
        message_id=f"{letter.key.replace('/', '.')}@{stationery.mail_domain}",
        head=case.head,
        created_at=now,
    )


def outbound(session: Session, notice: Notice, stationery: Stationery) -> OutboundLetter:
    """The mail for a kept letter: the same words and the same Message-ID on every try, threaded to what it answers.

    Raises OperatorError, and RecipientError where its address can never be written to.
    """
    kind = LetterKind(notice.kind)
    thread = [] if kind is LetterKind.AUTHORITY_REPLY else _thread(session, notice)
    text, html = notice.text, notice.html
    if notice.channel != CHAT:  # its book is ours too, and is spelled out where the visitor reads it
        text, html = _in_full(kind, notice, notice.reference, stationery)
    return OutboundLetter(
        notice=notice.key,
        kind=notice.kind,
        to=_to(session, notice, stationery),
        public=_public(notice),
        subject=notice.subject,
        text=text,
        html=html,
        message_id=notice.message_id,
        reply_token=reply_token(stationery.reply_secret, notice.reference),
        in_reply_to=thread[-1] if thread else None,
        references=tuple(thread),
        auto_submitted="auto-replied" if kind in ACKNOWLEDGING else "no" if kind in BY_PEOPLE else "auto-generated",
    )


def _in_full(kind: LetterKind, words: Rendered | Notice, reference: str, stationery: Stationery) -> tuple[str, str]:
    """Text and HTML as the user gets them: with the code of a link, of which the records hold a number alone."""
    if kind is not LetterKind.IDENTITY_REQUEST:
        return words.text, words.html
    secret = stationery.reply_secret
    return spelled_out(words.text, reference, secret), spelled_out(words.html, reference, secret)


def _draft(session: Session, draft_id: str) -> dict[str, Any]:
    try:
        return dict(documents.draft(session, draft_id).content)
    except KeyError:
        raise OperatorError("the records do not hold what was written for it; a colleague must see to it") from None


def _words(session: Session, case: Case) -> str:
    """The user's words: the points it was split for, else those of its first message."""
    split = documents.opening_words(session, case.reference) if case.refers_to else ""
    return split or messages.first_words(session, case.reference)


def _quoted(session: Session, letter: Letter) -> StoredMessage | None:
    """The message of the user that a letter rests on, such as the one that withdraws."""
    with suppress(KeyError):
        return messages.get(session, letter.facts["message"])
    return None


def _public(notice: Notice) -> bool:
    return notice.address_id.startswith(f"{PUBLIC}/")


def _to(session: Session, notice: Notice, stationery: Stationery) -> str:
    if _public(notice):
        return messages.public_place(session, notice.reference)
    if notice.address_id != AUTHORITY.id:
        return _reachable(_address(session, notice.address_id))
    if not stationery.policy.authority.email:
        raise OperatorError("the policy names no e-mail of the authority; set authority.email in policy.toml")
    return stationery.policy.authority.email


def _address(session: Session, address_id: str) -> str:
    """Reveal an address; one that restored records have lost is none that a letter can go to."""
    try:
        return contacts.reveal(session, address_id).value
    except KeyError:
        raise RecipientError("the records do not hold the address any more") from None


def _reachable(address: str) -> str:
    """The address where a letter can bear it. Raises RecipientError."""
    if not 0 < len(address) <= LONGEST_ADDRESS:
        raise RecipientError("the address is none that a letter can go to: it is empty, or too long")
    return address


def _thread(session: Session, notice: Notice) -> list[str]:
    """The ids of the conversation on this channel, oldest first: the user's last message, else our first letter there.

    A mail's Message-ID names nothing on another channel, and a letter that left on another is no mail.
    """
    inbound = messages.thread(session, notice.reference, notice.channel)
    if inbound or notice.channel != EMAIL:
        return inbound
    letters = notices.of_case(session, notice.reference)
    return [one.message_id for one in letters if one.accepted_at and one.address_id == notice.address_id][:1]
