"""The load: complaints as people write them, each from somebody else, and the answer an agent gives."""

import hashlib
from datetime import datetime, timedelta
from email.message import EmailMessage

from sqlmodel import Session

from channels.message import Disposition, InboundMessage
from models.inquiry import EMAIL, Actor, Kind, Language, Role
from models.policy import Policy
from records import contacts
from starter.reception.opening import Opening, open_inquiry

AGENT = Actor(id="cx-lead", role=Role.REPRESENTATIVE)
"""Speaks for an area, so the answer is verified by being given (M5.3)."""
SUBJECT = "Retiro pendiente desde hace cinco días"
TEXT = """Buenos días:

El lunes pedí el retiro de 350 dólares a mi cuenta de banco y hasta hoy no ha llegado. La aplicación dice "en proceso"
desde entonces. Escribí dos veces por el chat y me contestaron que esperara. Además me cobraron dos veces la comisión de
1.50 dólares, lo que se ve en los movimientos del mismo día.

Pido que se me entregue el dinero o que se me explique por qué no, y que se me devuelva la segunda comisión.

Gracias."""

ANSWER = {
    "points": [
        {"point": "El retiro no ha llegado", "answer": "El banco lo devolvió por un número de cuenta incompleto."},
        {"point": "La comisión se cobró dos veces", "answer": "Es cierto: la segunda se devuelve."},
    ],
    "actions": ["Revisamos los movimientos de la cuenta.", "Consultamos al banco receptor."],
    "remedy": {"what": "El retiro se envió de nuevo y la comisión se devolvió.", "amount": "1.50 USD"},
}
"""The final answer, as an agent writes it."""


def sender(name: str) -> str:
    """An address of their own for every inquiry, so that no limit for one address is met."""
    return f"{name}@example.org"


def message(name: str, now: datetime) -> InboundMessage:
    """A complaint as the e-mail channel hands it to the intake, its sender verified."""
    raw = mail(name)
    return InboundMessage(
        channel=EMAIL,
        provider_id=f"{name}@mail.example.org",
        message_id=f"{name}@mail.example.org",
        received_at=now,
        sender=sender(name),
        sender_name="",
        sender_verified=True,
        reply_to="",
        recipients=("help@example.org",),
        subject=SUBJECT,
        text=TEXT,
        full_text=TEXT,
        disposition=Disposition.MESSAGE,
        language=Language.ES,
        kind=Kind.COMPLAINT,
        spf="pass",
        raw_sha256=hashlib.sha256(raw).hexdigest(),
        raw=raw,
    )


def mail(name: str) -> bytes:
    """The same complaint as it travels."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender(name), "help@example.org", SUBJECT
    made["Message-ID"] = f"<{name}@mail.example.org>"
    made.set_content(TEXT)
    return made.as_bytes()


def seed(session: Session, policy: Policy, name: str, now: datetime, age: timedelta) -> str:
    """An inquiry put straight into the records, received `age` ago, its start queued; its reference."""
    contact, address = contacts.find_or_add(session, EMAIL, sender(name), now=now)
    opening = Opening(
        channel=EMAIL,
        contact=contact,
        addresses=(address,),
        bound=True,
        kind=Kind.COMPLAINT,
        language=Language.ES,
        received_at=now - age,
        subject=SUBJECT,
        text=TEXT,
    )
    return open_inquiry(session, opening, policy, now).reference
