"""API keys, kept as hashes alone, and the answers that an Idempotency-Key gives again."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, update
from sqlmodel import Session, col, select

from models.errors import Refused
from models.inquiry import Actor, Role
from models.tables import ApiKey, StoredAnswer
from records.database import add_once, first
from records.ids import new_id

PREFIX = "plz_"
SECRET_BYTES = 32
HOLDERS = (Role.AGENT, Role.REPRESENTATIVE, Role.SUPERVISOR, Role.COMPLIANCE, Role.AUDITOR, Role.INTAKE)
"""The roles that a key may carry. The software needs none, and the user has the status link."""


_VERIFY = select(ApiKey.digest, ApiKey.actor, ApiKey.role, ApiKey.revoked_at).where(
    col(ApiKey.digest) == bindparam("digest")
)


class Remembered(NamedTuple):
    """The answer that was given: HTTP status and body."""

    status: int
    body: dict[str, Any]


def create(session: Session, actor_id: str, role: Role, now: datetime, *, label: str = "") -> str:
    """Make a key for an actor and return its secret, which is shown this once and never again.

    Refused for a role that is none of HOLDERS; pydantic's ValidationError for an id that cannot be an actor's.
    """
    if role not in HOLDERS:
        raise Refused("key.role", f"a key is for one of {', '.join(HOLDERS)}", field="role")
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    actor = Actor(id=actor_id, role=role)
    key = ApiKey(
        id=new_id("key"), digest=_digest(secret), actor=actor.id, role=actor.role.value, label=label, created_at=now
    )
    add_once(session, key)
    return secret


def verify(session: Session, secret: str) -> Actor | None:
    """Return whose key this is, or None for one that is unknown or revoked."""
    digest = _digest(secret)
    row = first(session, _VERIFY, digest=digest)
    if row is None or not hmac.compare_digest(row.digest, digest) or row.revoked_at is not None:
        return None
    return Actor(id=row.actor, role=Role(row.role))


def revoke(session: Session, key_id: str, now: datetime) -> bool:
    """Make a key worthless from now on; False when there is no such key."""
    row = session.get(ApiKey, key_id)
    if row is None:
        return False
    row.revoked_at = row.revoked_at or now
    session.add(row)
    session.flush()
    return True


def revoke_all(session: Session, actor_id: str, now: datetime) -> int:
    """Make every key of somebody worthless who leaves, for good; return how many there were."""
    live = update(ApiKey).where(col(ApiKey.actor) == actor_id, col(ApiKey.revoked_at).is_(None))
    return session.exec(live.values(revoked_at=now)).rowcount


def revoke_others(session: Session, actor_id: str, role: Role, now: datetime) -> int:
    """Make every key of somebody worthless that says another role than theirs; return how many there were."""
    others = col(ApiKey.actor) == actor_id, col(ApiKey.role) != role.value, col(ApiKey.revoked_at).is_(None)
    return session.exec(update(ApiKey).where(*others).values(revoked_at=now)).rowcount


def list_keys(session: Session) -> list[ApiKey]:
    """Return every key, the oldest first, revoked ones too."""
    return list(session.exec(select(ApiKey).order_by(col(ApiKey.created_at), col(ApiKey.id))))


def recall(session: Session, key: str, actor: str, fingerprint: str) -> Remembered | None:
    """Return the answer given before to this key of this actor, or None. Refused when the request was another one."""
    row = session.get(StoredAnswer, (actor, key))
    if row is None:
        return None
    if not hmac.compare_digest(row.fingerprint, fingerprint):
        raise Refused(
            "idempotency.other-request",
            "this Idempotency-Key was used for another request; make a new key for a new request",
            field="Idempotency-Key",
        )
    return Remembered(row.status, row.body)


def remember(
    session: Session, key: str, actor: str, fingerprint: str, *, status: int, body: Mapping[str, Any], now: datetime
) -> Remembered:
    """Keep an answer and return the one that stands: the first. Refused when the request was another one."""
    row = StoredAnswer(actor=actor, key=key, fingerprint=fingerprint, status=status, body=dict(body), created_at=now)
    known = recall(session, key, actor, fingerprint)
    if known is None and add_once(session, row):
        return Remembered(status, row.body)
    return known or recall(session, key, actor, fingerprint) or Remembered(status, row.body)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
