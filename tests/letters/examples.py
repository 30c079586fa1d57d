"""One case for every kind of letter, lived through real commands, and the letter it wrote."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from activities.letters.context import LetterContext, build_context
from activities.letters.rendering import Letters
from models.case import Case
from models.clock import wake
from models.inquiry import EMAIL, Address, Kind, Language, Outcome
from models.letters import FINALS, LetterKind
from models.post import Acceptance, accept, bounce
from tests.cases import FULL, MONDAY, ROXOM, SUPERVISOR, do, draft, letters, new_case, policy, public_case, send_all

WORDS = "El 28 de enero me cobraron dos veces la comisión.\nPido que me devuelvan una."
LINK = "https://status.example.org/s/abc"
NOW = datetime(2026, 4, 7, 15, 0, tzinfo=UTC)
"""09:00 in San Salvador, Tuesday 7 April 2026."""
LATER = MONDAY + timedelta(days=1)
SECOND = Address(id="ad_second", channel="web")

DRAFT: dict[str, Any] = {
    "text": "Revisamos el movimiento número 4471.",
    "points": [
        {
            "point": "La comisión del 28 de enero se cobró dos veces",
            "answer": "Se cobró una vez; el otro movimiento es el retiro",
            "finding": "No procede",
            "facts_verified": "Hay un solo cobro de 2.50 USD",
            "source": "Libro de movimientos de la cuenta",
            "rule": "Tarifario, punto 4",
            "why": "Los dos movimientos son de naturaleza distinta",
        },
        {"point": "Nadie contestó el chat", "answer": "Tiene razón: no contestamos a tiempo", "finding": None},
    ],
    "actions": ["Leímos el libro de movimientos", "Consultamos a Finanzas"],
    "reasons": "El tarifario vigente prevé ese cobro.",
    "remedy": {"what": "Devolución de la comisión", "amount": "2.50 USD", "by": "2026-04-17"},
    "where_else": "Superintendencia del Sistema Financiero",
    "link": "https://example.org/confirm?code=x",
    "link_ends": "2026-04-10T15:00:00+00:00",
    "items": [{"item": "El comprobante del retiro", "why": "muestra la comisión"}],
}


@cache
def all_letters() -> Letters:
    return Letters.load(ROXOM)


def opened(**more: Any) -> Case:
    case = new_case(**more)
    send_all(case, MONDAY)
    return case


def late(**more: Any) -> Case:
    case = new_case(**more)
    wake(case, NOW)
    return case


def missed(**more: Any) -> Case:
    case = do(opened(**more), "refer", MONDAY, area="finance", question="q")
    wake(case, NOW)
    return case


def answered(**more: Any) -> Case:
    case = do(opened(**more), "resolve", LATER, outcome="upheld", draft=FULL)
    send_all(case, LATER)
    return case


def merge(case: Case, *, leads: bool = True) -> Case:
    order: dict[str, Any] = {"contact": case.contact, "received_at": (MONDAY - timedelta(days=3)).isoformat()}
    return do(case, "merge", LATER, other="RX-OTHR-1111", leads=leads, **order)


def escalated(**more: Any) -> Case:
    order: dict[str, Any] = {
        "institution": "Banco Central de Reserva",
        "reasons": "Le pedimos confirmar la transferencia.",
    }
    return do(opened(**more), "escalate", LATER, estimate="2026-03-20", until="2026-03-25", **order)


def re_estimated(**more: Any) -> Case:
    case = escalated(**more)
    send_all(case, LATER)
    return do(case, "re_estimate", LATER, estimate="2026-03-24", reasons="La institución pidió más días.")


def resolved(outcome: Outcome) -> Callable[..., Case]:
    def life(**more: Any) -> Case:
        return do(opened(approvals=(), **more), "resolve", LATER, outcome=outcome.value, draft=FULL)

    return life


def reminded(**more: Any) -> Case:
    case = do(opened(**more), "request_information", LATER, draft=FULL, by="2026-02-12")
    send_all(case, LATER)
    wake(case, MONDAY + timedelta(days=8))
    return case


def erased(**more: Any) -> Case:
    case = answered(approvals=(), **more)
    wake(case, NOW + timedelta(days=100))
    case = do(case, "request_erasure", NOW + timedelta(days=100), message="ms_9")
    return do(case, "erase", NOW + timedelta(days=101))


def compensated(**more: Any) -> Case:
    promise: dict[str, Any] = {
        "what": "Le devolvemos la comisión.",
        "amount": "2.50",
        "currency": "USD",
        "by": "2026-02-10",
    }
    case = do(opened(**more), "promise_remedy", LATER, **promise)
    return do(case, "remedy_done", LATER, SUPERVISOR, remedy=1, evidence="Transferencia 4411.", on="2026-02-03")


def reviewed(**more: Any) -> Case:
    order: dict[str, Any] = {"by": "authority", "file_number": "DC-2026-118", "answer_by": "2026-02-20"}
    case = do(opened(**more), "appeal", LATER, text="La autoridad notificó.", **order)
    send_all(case, LATER)
    return case


LIVES: dict[LetterKind, Callable[..., Case]] = {
    LetterKind.ACKNOWLEDGEMENT: new_case,
    LetterKind.ACKNOWLEDGEMENT_LATE: late,
    LetterKind.REPLY: lambda **more: do(opened(**more), "reply", LATER, draft=FULL),
    LetterKind.REFERRAL: lambda **more: do(opened(**more), "refer", LATER, area="finance", question="q"),
    LetterKind.INFORMATION_REQUEST: lambda **more: do(
        opened(**more), "request_information", LATER, draft=FULL, by="2026-02-12"
    ),
    LetterKind.INFORMATION_REMINDER: reminded,
    LetterKind.IDENTITY_REQUEST: lambda **more: do(
        opened(**{**more, "bound": False}), "request_identity", LATER, draft=draft("reasons", "link")
    ),
    LetterKind.EXTENSION: lambda **more: do(
        opened(**more), "extend", LATER, until="2026-03-25", reasons="Falta la respuesta del custodio."
    ),
    LetterKind.EXTERNAL: escalated,
    LetterKind.RE_ESTIMATE: re_estimated,
    LetterKind.CHANNEL_CHANGE: lambda **more: do(
        opened(**{"addresses": (Address(id="ad_1", channel=EMAIL), SECOND), **more}),
        "change_channel",
        LATER,
        channel="web",
        reasons="Usted lo pidió.",
    ),
    LetterKind.INVITATION: public_case,
    LetterKind.UNREADABLE: lambda **more: do(
        opened(**more), "receive_message", NOW, message="ms_2", at=LATER.isoformat(), channel="x", unreadable=True
    ),
    LetterKind.MISSED: missed,
    **{FINALS[outcome]: resolved(outcome) for outcome in Outcome},
    LetterKind.WITHDRAWN: lambda **more: do(
        opened(**more), "withdraw", LATER, reasons="Ya no hace falta, gracias.", message="msg_1"
    ),
    LetterKind.REOPENED: lambda **more: do(answered(**more), "reopen", NOW, reasons="Apareció el comprobante."),
    LetterKind.MERGED: lambda **more: merge(opened(**more)),
    LetterKind.SPLIT: lambda **more: do(
        opened(**more), "split", LATER, other="RX-OTHR-1111", points=["El retiro de diciembre", "El chat"]
    ),
    LetterKind.REMEDY_DONE: compensated,
    LetterKind.REVIEW_NOTED: reviewed,
    LetterKind.REVIEW_RESULT: lambda **more: do(
        reviewed(**more), "appeal_decided", LATER, SUPERVISOR, result="overturned", text="Devolveremos la comisión."
    ),
    LetterKind.ERASURE_DONE: erased,
    LetterKind.AUTHORITY_REPLY: lambda **more: do(reviewed(**more), "reply", LATER, draft=FULL, to="authority"),
}
"""How a case comes to write each kind."""


def context(
    letter: LetterKind, /, *, words: str = WORDS, draft: dict[str, Any] | None = None, **more: Any
) -> LetterContext:
    """What the last letter of that kind says, for a case with these features (`language`, `bound`, `kind`...)."""
    if letter is LetterKind.FINAL_INQUIRY:
        more = {"kind": Kind.INQUIRY, **more}
    return of(LIVES[letter](**more), letter, words=words, draft=draft)


def of(
    case: Case,
    kind: LetterKind,
    *,
    words: str = WORDS,
    draft: dict[str, Any] | None = None,
    written_at: datetime | None = None,
) -> LetterContext:
    """What the last letter of that kind of this very case says."""
    return build_context(
        case,
        letters(case, kind)[-1],
        policy=policy(),
        draft=draft or DRAFT,
        words=words,
        status_link=LINK,
        now=NOW,
        written_at=written_at,
    )


def sent_again(**more: Any) -> Case:
    """A case whose acknowledgement bounced off its only address."""
    case = new_case(**more)
    first = case.letters[0]
    accept(case, Acceptance(key=first.key, at=MONDAY))
    bounce(case, first.key, LATER, hard=True, reason="550")
    return case


SPANISH, ENGLISH, BOTH = Language.ES, Language.EN, Language.BOTH
