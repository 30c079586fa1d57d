"""Mails, forms and provider's posts for the intake tests, and the intake they go to."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from channels.message import Disposition, InboundMessage
from models.inquiry import EMAIL, Kind, Language
from models.policy import Policy
from models.tables import Dispatch, Notice
from records import cases, dispatches
from records.database import Database
from records.documents import FolderStore, Kept
from starter.reception.intake import Intake
from tests.cases import policy

NOW = datetime(2026, 2, 2, 16, 30, tzinfo=UTC)
"""10:30 in San Salvador; +5 business days 2026-02-09, +30 2026-03-16 (golden)."""

REPLY_SECRET = b"reply secret"
BOUNDARY = "xYzZY"


def message(n: int = 1, **changes: Any) -> InboundMessage:
    """The nth mail of a person, verified unless said otherwise."""
    raw = changes.pop("raw", None) or f"mail {n}".encode()
    plain: dict[str, Any] = {
        "channel": EMAIL,
        "provider_id": f"m{n}@mail.example.org",
        "message_id": f"m{n}@mail.example.org",
        "received_at": NOW,
        "sender": "ana@example.org",
        "sender_name": "Ana",
        "sender_verified": True,
        "reply_to": "",
        "recipients": ("help@example.org",),
        "subject": "Retiro pendiente",
        "text": f"Mi retiro {n} no ha llegado.",
        "full_text": f"Mi retiro {n} no ha llegado.",
        "disposition": Disposition.MESSAGE,
        "language": Language.ES,
        "kind": Kind.COMPLAINT,
        "spf": "pass",
        "raw_sha256": hashlib.sha256(raw).hexdigest(),
        "raw": raw,
    }
    whole = {**plain, **changes}
    return InboundMessage(**{"bound": whole["sender_verified"], **whole})


def left(reference: str, kind: str = "acknowledgement") -> Notice:
    """A letter of ours that left."""
    key = f"{reference}/{kind}/1"
    return Notice(
        key=key,
        reference=reference,
        kind=kind,
        address_id="ad_1",
        channel=EMAIL,
        template=f"{kind}.es",
        version="1",
        language="es",
        subject="s",
        text="t",
        html="h",
        sha256="0",
        message_id=f"{key.replace('/', '.')}@example.org",
        head="0",
        created_at=NOW,
    )


class Emptied(FolderStore):
    """Files that an erasure of the same ones elsewhere takes away as soon as they are put there."""

    def put(self, content: bytes) -> Kept:
        kept = super().put(content)
        self.remove(kept.path)
        return kept


@dataclass
class Bench:
    """An intake on a real database, its clock in the test's hand."""

    database: Database
    folder: Path
    policy: Policy = field(default_factory=policy)
    now: datetime = NOW
    woken: int = 0

    def __post_init__(self) -> None:
        """Put the intake together."""
        self.intake = self.make()

    def make(self, **changes: Any) -> Intake:
        """An intake, perhaps on another policy."""
        return Intake(
            self.database,
            changes.get("policy", self.policy),
            changes.get("files", FolderStore(self.folder)),
            lambda: self.now,
            self._wake,
            reply_secret=REPLY_SECRET,
        )

    def _wake(self) -> None:
        self.woken += 1

    def rows(self) -> list[tuple[str, str]]:
        """What waits for Temporal: references and names, in stored order."""
        return [(row.reference, row.name) for row in self.dispatches()]

    def dispatches(self) -> list[Dispatch]:
        """What waits for Temporal."""
        with self.database.read() as session:
            found = [
                row for reference in cases.open_references(session) for row in dispatches.undone(session, reference)
            ]
        return sorted(found, key=lambda row: row.number)

    def references(self) -> list[str]:
        """Every open inquiry."""
        with self.database.read() as session:
            return cases.open_references(session)

    def tick(self, **delta: float) -> None:
        """Let time pass."""
        self.now += timedelta(**delta)


def mail(n: int = 1, *, sender: str = "Ana <ana@example.org>", text: str = "", **headers: str) -> bytes:
    """A mail as it travels."""
    made = EmailMessage()
    made["From"] = sender
    made["To"] = "help@example.org"
    made["Subject"] = headers.pop("subject", "Retiro pendiente")
    made["Message-ID"] = f"<m{n}@mail.example.org>"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text or f"Mi retiro {n} no ha llegado, y nadie me responde.")
    return made.as_bytes()


def post(raw: bytes, *, to: str = "help@example.org", spf: str = "pass", dkim: str = "{@example.org : pass}") -> bytes:
    """A post of Inbound Parse in raw mode, as multipart/form-data."""
    fields = {
        "email": raw,
        "envelope": f'{{"to":["{to}"],"from":"ana@example.org"}}'.encode(),
        "SPF": spf.encode(),
        "dkim": dkim.encode(),
        "charsets": b'{"to":"UTF-8","from":"UTF-8","subject":"UTF-8"}',
    }
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value + b"\r\n"
        for name, value in fields.items()
    ]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


HEADERS = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Authorization": "Bearer development"}


class Signer:
    """Signs posts the way the provider does."""

    def __init__(self) -> None:
        """Make a key pair."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        spki = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.public_key = base64.b64encode(spki).decode()

    def headers(self, body: bytes, at: datetime) -> dict[str, str]:
        """The headers of a post with this body."""
        timestamp = str(int(at.timestamp()))
        signature = self._key.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
        return {
            "Content-Type": "application/json",
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        }


Clock = Callable[[], datetime]
