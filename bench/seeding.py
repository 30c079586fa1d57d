"""Many open inquiries put straight into the records: some opened as they really are, then each copied many times.

A copy is a person, a message, an inquiry, its chain and its acknowledgement of their own, with other words in the
subject and the beginning. Its chain keeps the hashes of the one it was copied from, so it is no use for `plazo verify`.
"""

import hashlib
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import accumulate, product
from typing import Any

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from activities.composing import compose
from bench.load import TEXT, message, sender
from bench.rates import now
from bench.tables import Rows, rows_of
from models.inquiry import EMAIL
from models.policy_reading import load_policy
from models.post import Acceptance, accept
from models.reference import new_reference
from models.tables import ContactAddress, Dispatch, PublishedEvent, StatusToken, StoredMessage
from records import cases, ledger, notices
from records.database import Database
from settings import Settings
from starter.reception.intake import make_intake
from worker import stationery

OF_CASE = ("cases", "status_tokens", "obligations", "salts", "events", "event_texts", "messages", "notices")
NUMBERED = {"messages": "n", "dispatches": "id"}
"""What the database counts by itself."""

PATTERNS = 20
TOGETHER = 500
OLDEST = timedelta(days=38)
"""Receptions lie within this time, and the terms of none have passed."""

UNACKNOWLEDGED = 10
"""One in so many has only just come in."""

FRESH = timedelta(days=3)
SUBJECT, BEGINNING = "asunto" + "q" * 24, "comienzo" + "w" * (cases.EXCERPT - 8)
"""What stands in a pattern for the words of each copy."""
WHOLE = f"{BEGINNING}\n\n{TEXT}"

WORDS = (
    *("retiro", "comisión", "tarjeta", "bloqueo", "depósito", "identidad", "cambio", "demora", "cuenta", "banco"),
    *("transferencia", "verificación", "contraseña", "bitcoin", "dólares", "cobro", "saldo", "respuesta", "semana"),
)
SYLLABLES = ("ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "xo", "zu", "ña")
VOCABULARY = (*WORDS, *("".join(three) for three in product(SYLLABLES, repeat=3)))
_OFTEN = list(accumulate([2 / len(WORDS)] * len(WORDS) + [1 / len(SYLLABLES) ** 3] * len(SYLLABLES) ** 3))
"""Two words of three are those that everybody writes, the third is one of thousands: names, places, banks."""


class Seeding:
    """Fills one records database. The same every time but for the hour."""

    def __init__(self, settings: Settings, database: Database, tell: Callable[[str], None]) -> None:
        """Open the patterns: `settings` name the policy and where files lie."""
        self._settings, self._database, self._tell = settings, database, tell
        self._policy, self._paper = load_policy(settings.policy), stationery(settings)
        self._chance, self._rows, self.references = random.Random(7), rows_of(settings.records_url), list[str]()
        self._taken: set[str] = set()
        # Those of the others are kept from who asks here.
        self.areas = sorted(set(self._policy.areas) - set(self._policy.rights.closed_areas))
        self._patterns = [self._pattern(n) for n in range(PATTERNS)]

    def grow(self, count: int) -> None:
        """Put in copies until so many were made."""
        while len(self.references) < count:
            many = min(TOGETHER, count - len(self.references))
            self._rows.write([self._copy() for _ in range(many)])
            if len(self.references) % 20_000 == 0:
                self._tell(f"{len(self.references)} inquiries put in")

    def settle(self) -> None:
        """What the database does by itself within minutes."""
        self._rows.settle()

    def stored_bytes(self) -> int:
        """Bytes in use."""
        return self._rows.stored_bytes()

    def words(self, count: int) -> str:
        """As somebody might write them."""
        return " ".join(self._chance.choices(VOCABULARY, cum_weights=_OFTEN, k=count))

    def _pattern(self, n: int) -> tuple[tuple[str, ...], Rows]:
        fresh = n % UNACKNOWLEDGED == 0
        at = now() - (FRESH if fresh else OLDEST) * ((n + 1) / (PATTERNS + 1))
        mail = message(f"pattern-{n}-", at).model_copy(update={"subject": SUBJECT, "text": WHOLE, "full_text": WHOLE})
        reference = make_intake(self._settings, self._policy, self._database, lambda: at).receive(mail).reference
        with self._database.write() as session:
            self._settle_in(session, str(reference), at, n, acknowledged=not fresh)
            names = self._names(session, str(reference), n)
        wanted = [(table, "reference", str(reference)) for table in (*OF_CASE, "dispatches")]
        contacts = [("contacts", "id", names[1]), ("addresses", "contact", names[1])]
        return names, self._rows.read([*contacts, *wanted], NUMBERED)

    def _settle_in(self, session: Session, reference: str, at: datetime, n: int, *, acknowledged: bool) -> None:
        """Somebody of an area has it; its start was told, and its acknowledgement has left."""
        case = cases.load(session, reference)
        case.area, case.owner = self.areas[n % len(self.areas)], f"agent-{n % 20}"
        letter = case.outbox(at)
        if acknowledged and letter:
            ledger.append(session, case.seal())
            notice = compose(session, case, letter, self._paper, at)
            notices.begin(session, notice)
            notices.accepted(session, letter.key, at, f"id-{reference}")
            accept(case, Acceptance(key=letter.key, at=at, wording=notice.wording))
        ledger.append(session, case.seal())
        cases.project(session, case)
        session.connection().execute(update(Dispatch).values(done_at=at))
        session.connection().execute(delete(PublishedEvent))

    @staticmethod
    def _names(session: Session, reference: str, n: int) -> tuple[str, ...]:
        """What a copy has otherwise, in the order of `_copy`."""
        token = session.exec(select(StatusToken).where(col(StatusToken.reference) == reference)).one()
        stored = session.exec(select(StoredMessage).where(col(StoredMessage.reference) == reference)).one()
        known = select(ContactAddress).where(col(ContactAddress.folded) == sender(f"pattern-{n}-"))
        address = session.exec(known.where(col(ContactAddress.channel) == EMAIL)).one()
        names = (address.contact, address.id, stored.id, f"pattern-{n}-", token.token, token.digest)
        return (reference, *names, reference.casefold(), SUBJECT, BEGINNING)

    def _copy(self) -> Rows:
        number = len(self.references)
        names, rows = self._patterns[number % PATTERNS]
        reference = next(self._free())
        self.references.append(reference)
        token = hashlib.sha256(reference.encode()).hexdigest()
        digest = hashlib.sha256(token.encode()).hexdigest()
        ids = (f"ct_{number:016}", f"ad_{number:016}", f"ms_{number:016}", f"person-{number}-", token, digest)
        beginning = self.words(24)[: cases.EXCERPT]
        return rows.renamed(names, (reference, *ids, reference.casefold(), self.words(4), beginning))

    def _free(self) -> Iterator[str]:
        while True:
            made = new_reference(self._policy.operator.reference_prefix, self._chance)
            if made not in self._taken:
                self._taken.add(made)
                yield made


def forms(seeding: Seeding, count: int, size: int) -> list[dict[str, Any]]:
    """New inquiries as the web form sends them, each from somebody else."""
    return [
        {"email": sender(f"form-{size}-{n}"), "subject": seeding.words(4), "text": f"{seeding.words(12)}\n\n{TEXT}"}
        for n in range(count)
    ]
