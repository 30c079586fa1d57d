"""API keys are known by their hash alone; an Idempotency-Key gives the same answer to the same request."""

from datetime import timedelta

import pytest
from pydantic import ValidationError
from sqlmodel import text

from models.errors import Refused
from models.inquiry import Actor, Role
from records import keys
from records.database import Database
from tests.records.mail import NOW


def test_a_key_is_its_actor_until_it_is_revoked(database: Database) -> None:
    with database.write() as session:
        secret = keys.create(session, "agent-1", Role.AGENT, NOW, label="desk")
        other = keys.create(session, "boss-1", Role.SUPERVISOR, NOW + timedelta(seconds=1))
    assert secret.startswith("plz_")
    assert len(secret) == 47
    with database.read() as session:
        assert keys.verify(session, secret) == Actor(id="agent-1", role=Role.AGENT)
        assert keys.verify(session, other) == Actor(id="boss-1", role=Role.SUPERVISOR)
        for wrong in ("", "plz_", secret[:-1], secret + "a", secret.upper(), "\udcff"):
            assert keys.verify(session, wrong) is None
        first, second = keys.list_keys(session)
        assert (first.actor, first.role, first.label, second.actor) == ("agent-1", "agent", "desk", "boss-1")
        stored = session.connection().execute(text("SELECT * FROM api_keys")).all()
        assert secret not in str(stored)
        assert secret.removeprefix("plz_") not in str(stored)
    with database.write() as session:
        assert keys.revoke(session, first.id, NOW)
        assert keys.revoke(session, first.id, NOW + timedelta(days=1))
        assert not keys.revoke(session, "key_none", NOW)
        assert keys.verify(session, secret) is None
        assert keys.verify(session, other) is not None
        assert keys.list_keys(session)[0].revoked_at == NOW


def test_an_actor_is_an_opaque_id(database: Database) -> None:
    with database.write() as session, pytest.raises(ValidationError):
        keys.create(session, "Ana Pérez", Role.AGENT, NOW)


def test_the_same_request_gets_the_same_answer(database: Database) -> None:
    with database.write() as session:
        assert keys.recall(session, "k1", "agent-1", "f1") is None
        given = keys.remember(session, "k1", "agent-1", "f1", status=200, body={"version": 3}, now=NOW)
        assert given == (200, {"version": 3})
    with database.write() as session:
        assert keys.recall(session, "k1", "agent-1", "f1") == given
        assert keys.remember(session, "k1", "agent-1", "f1", status=409, body={}, now=NOW) == given
        assert keys.recall(session, "k1", "agent-2", "f1") is None
        assert keys.recall(session, "k2", "agent-1", "f1") is None
        for ask in (keys.recall, lambda *known: keys.remember(*known, status=200, body={}, now=NOW)):
            with pytest.raises(Refused) as caught:
                ask(session, "k1", "agent-1", "f2")
            assert caught.value.code == "idempotency.other-request"
