"""A letter with sample facts, for whoever is to approve its template: what users will read, of an invented case.

Nothing of it is anybody's data. What a template says only now and then, such as that it is a copy, is left out.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from activities.letters.content import Content
from activities.letters.context import Contact, LetterContext, SentLetter, Step
from activities.letters.fields import POINTER, STEPS
from activities.letters.memos import DIGEST, Values
from activities.letters.words import Speech
from models.identity import HELD_BACK
from models.inquiry import Kind, Language
from models.letters import LetterKind
from models.policy import Policy
from models.policy_file import Bilingual

NOW = datetime(2026, 4, 7, 15, 0, tzinfo=UTC)
RECEIVED, EARLIER = NOW - timedelta(days=5), NOW - timedelta(days=1)
LATER = datetime(2026, 5, 8, 5, 59, 59, tzinfo=UTC)
"""The end of a day in Central America: a due date without a time."""

CODE, OTHER = "7KQ4-M2PD", "3WTN-8HJC"
"""What follows the operator's prefix in a reference."""

LINK = "https://status.example.org/s/sample"

DATED = frozenset({LetterKind.EXTENSION, LetterKind.EXTERNAL, LetterKind.RE_ESTIMATE})
"""The letters that move a date."""

SAID: dict[Language, dict[str, str]] = {
    Language.ES: {
        "words": "El 28 de enero me cobraron dos veces la comisión. Pido que me devuelvan una.",
        "text": "Revisamos el movimiento y esto es lo que encontramos.",
        "point": "La comisión se cobró dos veces",
        "answer": "Se cobró una vez; el otro movimiento es el retiro",
        "finding": "No procede",
        "facts": "Hay un solo cobro de 2.50 USD",
        "source": "Libro de movimientos de la cuenta",
        "rule": "Tarifario, punto 4",
        "why": "Los dos movimientos son de naturaleza distinta",
        "action": "Leímos el libro de movimientos",
        "reasons": "Falta la confirmación de la transferencia.",
        "remedy": "Devolución de la comisión",
        "elsewhere": "La superintendencia que vigila a los bancos",
        "institution": "Banco central",
        "item": "El comprobante del retiro",
        "for": "muestra la comisión",
        "asked": "Si la transferencia se acreditó",
        "shared": "El número y la fecha de la transferencia",
        "split": "El retiro de diciembre",
    },
    Language.EN: {
        "words": "On 28 January I was charged the fee twice. I ask for one of them back.",
        "text": "We looked at the movement, and this is what we found.",
        "point": "The fee was charged twice",
        "answer": "It was charged once; the other movement is the withdrawal",
        "finding": "Not founded",
        "facts": "There is a single charge of 2.50 USD",
        "source": "Ledger of the account",
        "rule": "Fees, item 4",
        "why": "The two movements differ in kind",
        "action": "We read the ledger of the account",
        "reasons": "The confirmation of the transfer is outstanding.",
        "remedy": "The fee is paid back",
        "elsewhere": "The authority that supervises banks",
        "institution": "Central bank",
        "item": "The receipt of the withdrawal",
        "for": "it shows the fee",
        "asked": "Whether the transfer was credited",
        "shared": "Number and date of the transfer",
        "split": "The withdrawal in December",
    },
}


def sample_letter(name: str, language: Language, policy: Policy) -> LetterContext:
    """What the template of this name says of the invented case; `pointer` stands for a letter that is held back."""
    kind = min(HELD_BACK) if name == POINTER else LetterKind(name)
    said, prefix = SAID[language], policy.operator.reference_prefix
    channels = list(policy.channels.named.values())
    first, last = channels[0], channels[-1]
    area, signing = policy.areas[policy.intake.area], policy.areas[policy.signing.area]
    return LetterContext(
        reference=f"{prefix}-{CODE}",
        kind=kind,
        language=language,
        inquiry=Kind.INQUIRY if kind is LetterKind.FINAL_INQUIRY else Kind.COMPLAINT,
        received_at=RECEIVED,
        channel=first.label,
        now=NOW,
        bound=name != POINTER,
        words=said["words"],
        words_hash="0" * 64,
        answer_by=LATER,
        facts=_facts(kind, f"{prefix}-{OTHER}"),
        texts={**{name: said[name] for name in ("institution", "asked", "shared")}, "point_1": said["split"]},
        content=Content.of(_draft(said)),
        cause="delay",
        asked_on=EARLIER,
        withdrawn_on=EARLIER,
        written_at=EARLIER,
        file_number="DC-2026-118",
        area=area.label,
        representative=area.representative_title,
        old_channel=first.label,
        new_channel=last.label,
        steps=tuple(Step(code=code, at=EARLIER, detail=_detail(code, area.label, said)) for code in STEPS),
        letters=(
            SentLetter(
                kind=LetterKind.ACKNOWLEDGEMENT,
                key=f"{prefix}-{CODE}/acknowledgement/1",
                accepted_at=RECEIVED,
                delivered_at=RECEIVED,
            ),
        ),
        operator=policy.operator,
        authority=policy.authority,
        manual=policy.manual,
        contact=first.address,
        contacts=tuple(Contact(label=one.label, address=one.address) for one in channels),
        signer_role=policy.signing.role,
        signer_area=signing.label,
        zone=policy.calendar_settings.zone,
        prevailing=Language(policy.letters.prevailing_language),
        status_link=LINK,
        chain_head="0" * 64,
    )


def sample_memo(kind: str, language: Language, policy: Policy) -> Values:
    """What the memo of this kind says to a colleague of the invented case."""
    speech = Speech(language, policy.calendar_settings.zone)
    reference = f"{policy.operator.reference_prefix}-{CODE}"
    row = {"reference": reference, "what": SAID[language]["point"], "due": speech.until(LATER)}
    link = f"{policy.reminders.link}/{reference}"
    if kind == DIGEST:
        rows = {part: [row] for part in ("owned", "approvals", "referrals", "follow_ups")}
        return {"day": speech.day(NOW), "total": "4", "link": link, **rows}
    return {**row, "missed": "", "link": link}


def _facts(kind: LetterKind, other: str) -> dict[str, str]:
    then, soon = RECEIVED.isoformat(), LATER.isoformat()
    moved = {"number": "1", "old": then, "new": soon} if kind in DATED else {}
    return {
        "promised": then,
        "estimate": soon,
        "old_estimate": then,
        "moved": "1",
        "missed": then,
        "work": "review",
        "by": "authority" if kind is LetterKind.REVIEW_NOTED else soon,
        "requested": then,
        "done": then,
        "leading": other,
        "other": other,
        "answer_by": soon,
        "result": "overturned",
        **moved,
    }


def _draft(said: dict[str, str]) -> dict[str, Any]:
    point = {name: said[name] for name in ("point", "answer", "finding", "source", "rule", "why")}
    return {
        "text": said["text"],
        "points": [{**point, "facts_verified": said["facts"]}],
        "actions": [said["action"]],
        "reasons": said["reasons"],
        "remedy": {"what": said["remedy"], "amount": "2.50 USD", "by": (NOW + timedelta(days=10)).date().isoformat()},
        "where_else": said["elsewhere"],
        "items": [{"item": said["item"], "why": said["for"]}],
        "link": LINK,
        "link_ends": LATER.isoformat(),
    }


def _detail(code: str, area: Bilingual, said: dict[str, str]) -> Bilingual | str:
    return area if code in {"referred", "findings"} else said["institution"] if code == "escalated" else ""
