"""What a letter says, before it is put into words: everything a template may print, in no language yet.

All times are aware UTC; they become dates in words of the operator's zone when the letter is written.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime

from activities.letters.content import Content
from models.case import Case
from models.identity import Level, Says, says
from models.inquiry import EMAIL, Area, Channel, Kind, Language, Wire
from models.ledger import text_digest
from models.letters import Letter, LetterKind, LetterState
from models.policy import Policy
from models.policy_file import Bilingual
from models.sections.operator import Authority, Manual, Operator

FAILED_CHANNEL = "the earlier channel failed"
"""The reason that `models.post` gives when a channel fails by itself; templates say it in the user's language."""


class Contact(Wire):
    """An official channel as the letters print it."""

    label: Bilingual
    address: str


class Step(Wire):
    """A step of the work done; `code` is one of `STEPS` in `activities.letters.fields`, `detail` says who took part."""

    code: str
    at: AwareDatetime
    detail: Bilingual | str = ""


class SentLetter(Wire):
    """A letter that left, for the index of an answer to the authority."""

    kind: LetterKind
    key: str
    accepted_at: AwareDatetime
    delivered_at: AwareDatetime | None


class LetterContext(Wire):
    """Everything one letter needs. `facts` and `texts` are the letter's own, `content` its draft's."""

    reference: str
    kind: LetterKind
    language: Language
    inquiry: Kind
    received_at: AwareDatetime
    channel: Bilingual
    now: AwareDatetime
    bound: bool
    words: str
    words_hash: str
    answer_by: AwareDatetime | None
    facts: dict[str, str]
    texts: dict[str, str]
    content: Content
    cause: str = ""
    asked_on: AwareDatetime | None = None
    withdrawn_on: AwareDatetime | None = None
    written_at: AwareDatetime | None = None
    file_number: str = ""
    area: Bilingual | None = None
    representative: Bilingual | None = None
    old_channel: Bilingual | None = None
    new_channel: Bilingual | None = None
    steps: tuple[Step, ...] = ()
    letters: tuple[SentLetter, ...] = ()
    copy_of: str = ""
    """The letter that this one, to the registered e-mail, is a copy of."""
    by_mail: bool = True
    """An answer quotes the letter, so it says where to write."""
    operator: Operator
    authority: Authority
    manual: Manual
    contact: str
    contacts: tuple[Contact, ...]
    signer_role: Bilingual
    signer_area: Bilingual
    zone: str
    prevailing: Language
    status_link: str
    chain_head: str

    @property
    def says(self) -> Says:
        """What of it leaves ([C])."""
        return says(Level.BOUND if self.bound else Level.UNVERIFIED, self.kind)

    @property
    def pointer_only(self) -> bool:
        """True when what leaves is only the pointer to the letter."""
        return self.says is Says.POINTER

    @property
    def in_public(self) -> bool:
        """True when everybody can read it where it is posted: it names no inquiry and is no letter in form."""
        return self.kind is LetterKind.INVITATION

    @property
    def languages(self) -> tuple[Language, ...]:
        """The languages it is written in, in this order; Spanish alone for the authority (reading 12)."""
        if self.kind is LetterKind.AUTHORITY_REPLY:
            return (Language.ES,)
        return (Language.ES, Language.EN) if self.language is Language.BOTH else (self.language,)


def build_context(
    case: Case,
    letter: Letter,
    *,
    policy: Policy,
    draft: dict[str, Any] | None,
    words: str,
    status_link: str,
    now: datetime,
    written_at: datetime | None = None,
) -> LetterContext:
    """Gather what a letter of this case says at `now` (aware UTC); pure.

    `words` is the full text of the user's message, received at `written_at` where that matters; `draft` the document
    that `letter.draft` names. The head printed is the case's as it stands. Raises pydantic's ValidationError for a
    draft of another shape.
    """
    words = letter.texts.get("words", words)
    area = _area(case, letter)
    known = policy.areas.get(area) if area else None
    carrier = policy.channels.named[case.channel].answered_by if case.channel in policy.channels.named else ""
    enabled = {name: one for name, one in policy.channels.named.items() if one.enabled}
    contact = enabled.get(carrier) or next(iter(enabled.values()))
    file_numbers = [one.file_number for one in case.appeals if one.file_number]
    received = letter.facts.get("received")
    return LetterContext(
        reference=case.reference,
        kind=letter.kind,
        language=case.language,
        inquiry=case.kind,
        received_at=datetime.fromisoformat(received) if received else case.received_at,
        channel=_channel(policy, letter.facts.get("channel") or case.channel),
        now=now,
        bound=case.level(letter) is not Level.UNVERIFIED or letter.kind is LetterKind.AUTHORITY_REPLY,
        words=words,
        words_hash=text_digest(case.salt, 0, "words", words),
        answer_by=letter.tells or _running(case),
        facts=letter.facts,
        texts=letter.texts,
        content=Content.of(draft),
        cause=_cause(case, letter),
        asked_on=case.escalation.opened_at if case.escalation else letter.created_at,
        withdrawn_on=case.withdrawn_at,
        written_at=written_at,
        file_number=letter.texts.get("file_number") or (file_numbers[-1] if file_numbers else ""),
        area=known.label if known else _as_is(area),
        representative=known.representative_title if known else policy.signing.role,
        old_channel=_channel(policy, letter.facts.get("old", "")),
        new_channel=_channel(policy, letter.facts.get("new", "")),
        steps=tuple(sorted(_steps(case, policy), key=lambda step: step.at)),
        letters=tuple(
            SentLetter(kind=one.kind, key=one.key, accepted_at=one.accepted_at, delivered_at=one.delivered_at)
            for one in case.letters
            if one.accepted_at
        ),
        copy_of=letter.copy_of if letter.address and letter.address.registered else "",
        by_mail=letter.address is None or letter.address.channel == EMAIL,
        operator=policy.operator,
        authority=policy.authority,
        manual=policy.manual,
        contact=contact.address,
        contacts=tuple(Contact(label=one.label, address=one.address) for one in policy.channels.named.values()),
        signer_role=policy.signing.role,
        signer_area=policy.areas[policy.signing.area].label,
        zone=policy.calendar_settings.zone,
        prevailing=Language(policy.letters.prevailing_language),
        status_link=status_link,
        chain_head=case.head,
    )


def _as_is(name: str) -> Bilingual | None:
    return Bilingual(es=name, en=name) if name else None


def _channel(policy: Policy, name: Channel) -> Bilingual:
    """The label of a channel, or of a place where colleagues register; the bare name where policy has forgotten it."""
    known = policy.channels.named.get(name)
    place = policy.registration.places.get(name)
    return known.label if known else place or Bilingual(es=name or "-", en=name or "-")


def _area(case: Case, letter: Letter) -> Area:
    return letter.facts.get("area") or (case.referred.area if case.referred else "")


def _running(case: Case) -> datetime | None:
    """The date the user may rely on (reading 4); none once the case is answered or withdrawn."""
    return None if case.final or case.withdrawn_at else case.told or case.resolution_due


def _cause(case: Case, letter: Letter) -> str:
    """Why a letter comes late, as far as the case itself knows."""
    if "promised" in letter.facts and case.opened_at > datetime.fromisoformat(letter.facts["promised"]):
        return "found_late"
    failed = case.dead or any(one.state is LetterState.FAILED for one in case.letters)
    return "channel" if failed else "delay"


def _steps(case: Case, policy: Policy) -> Iterator[Step]:
    """What was done on the case so far, from its own facts."""
    yield Step(code="received", at=case.received_at)
    acknowledgements = {LetterKind.ACKNOWLEDGEMENT, LetterKind.ACKNOWLEDGEMENT_LATE}
    for letter in case.letters:
        if letter.kind in acknowledgements and letter.accepted_at and not letter.copy_of:
            yield Step(code="acknowledged", at=letter.accepted_at)
    for referral in case.referrals:
        if referral.withdrawn_at:
            continue
        known = policy.areas.get(referral.area)
        label = known.label if known else referral.area
        yield Step(code="referred", at=referral.opened_at, detail=label)
        if referral.answered_at:
            yield Step(code="findings", at=referral.answered_at, detail=label)
    if case.information_asked_at:
        yield Step(code="information", at=case.information_asked_at)
    if case.escalation:
        yield Step(code="escalated", at=case.escalation.opened_at, detail=case.escalation.institution)
    for extension in case.extensions:
        if extension.effective_at and not extension.void_at:
            yield Step(code="extended", at=extension.effective_at)
    if case.final and case.final.accepted_at:
        yield Step(code="answered", at=case.final.accepted_at)
