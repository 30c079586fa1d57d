"""One command of a caller, from the request to the case's answer, safe to send again under the same Idempotency-Key.

What the caller wrote is stored before Temporal is asked, together with the order made of it, so a repeated request
sends the very same update: the case decides it once. The answer is kept and given again.
"""

import asyncio
import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlmodel import Session
from temporalio.client import WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.service import RPCError

from models.case import Case
from models.commands import read
from models.deciding import decide
from models.episodes import Answer
from models.errors import EngineUnavailable, RecordsUnavailable
from models.inquiry import Actor, Area
from models.sight import Eyes
from records import case_list, cases, keys
from starter.admin.bodies import Body, MergeBody, SplitBody
from starter.admin.desk import Desk
from starter.admin.joining import JoinIncidentBody, unknown_incident
from starter.admin.orders import order_of
from starter.admin.pair_orders import LINKING, link_orders, merge_orders, split, unknown_other
from starter.admin.rights import seen
from starter.admin.standing_in import BY_ANY_MEMBER, SPEAKING, stands_in
from starter.admin.writer import OrderData, Writer
from starter.temporal.engine import command_case, version_of
from tracing import concerns

DONE = 200
MADE = 0
"""What stands in place of an HTTP status with an order that was made, and perhaps sent, but not answered yet."""

Orders = dict[str, OrderData]
"""Orders by the reference they go to, in the order they are sent."""

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Wish:
    """What a caller asks of a case. `key` is the Idempotency-Key; without one nothing is kept for a repetition."""

    command: str
    reference: str
    body: Body
    actor: Actor
    key: str | None = None
    expected_version: int | None = None
    eyes: Eyes | None = None
    """What the caller sees, where the body names another inquiry."""
    areas: frozenset[Area] = frozenset()
    """The areas that the caller works for."""

    @property
    def fingerprint(self) -> str:
        """What makes two requests the same: command, case and body."""
        content = [self.command, self.reference, self.body.model_dump(mode="json")]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


async def fulfil(desk: Desk, wish: Wish) -> Answer:
    """Let the case decide, and return how it stands after that.

    Raises Refused and its kin, UnknownInquiry, RecordsUnavailable, EngineUnavailable.
    """
    known = await asyncio.to_thread(_known, desk, wish)
    if known is not None:
        return known
    update = _update_id(wish)
    await asyncio.to_thread(_check_other, desk, wish)
    orders = await asyncio.to_thread(_prepare, desk, wish, await _stands_at(desk, wish))
    answers = {reference: await _send(desk, wish, reference, order, update) for reference, order in orders.items()}
    return await asyncio.to_thread(_remember, desk, wish, answers[wish.reference])


def _known(desk: Desk, wish: Wish) -> Answer | None:
    """The answer given before. Raises Refused when the key was used for another request."""
    with desk.database.read() as session:
        case_list.line(session, wish.reference)
        if wish.key is None:
            return None
        stored = keys.recall(session, wish.key, wish.actor.id, wish.fingerprint)
        return Answer.model_validate(stored.body) if stored else None


def _check_other(desk: Desk, wish: Wish) -> None:
    """An inquiry that is hidden from the caller cannot be named either. Raises Refused."""
    joins = isinstance(wish.body, JoinIncidentBody)
    other = getattr(wish.body, "whose" if joins else "other", None)
    if wish.eyes is None or other is None:
        return
    now = desk.clock()
    with desk.database.write() as session:
        known = seen(session, now, wish.eyes, wish.command, other)
    if not known:
        raise unknown_incident() if joins else unknown_other(wish.command)


def _update_id(wish: Wish) -> str:
    """The id of the update, and the order's key: the caller's key, made unique to the caller and fit for the engine."""
    if wish.key is None:
        return secrets.token_hex(16)
    return hashlib.sha256(f"{wish.actor.id} {wish.key}".encode()).hexdigest()[:32]


async def _stands_at(desk: Desk, wish: Wish) -> int | None:
    """The version of the named case by its own word, where a stale one must be known before anything is done elsewhere.

    None where nothing else is touched, or it does not run: then it stands as it was last saved.
    """
    elsewhere = wish.command in LINKING or isinstance(wish.body, MergeBody | SplitBody)
    if wish.expected_version is None or not elsewhere:
        return None
    try:
        return await version_of(desk.client, wish.reference)
    except (WorkflowQueryFailedError, RPCError) as error:
        raise EngineUnavailable("the case gave no answer") from error


def _prepare(desk: Desk, wish: Wish, stands_at: int | None) -> Orders:
    """Make the orders and keep them; those made before for the same key are taken again.

    The version that the caller has seen is no part of them: under its key a refused command comes with another one.
    """
    made_key, now = f"order {wish.key}", desk.clock()
    with desk.database.write() as session:
        made = keys.recall(session, made_key, wish.actor.id, wish.fingerprint) if wish.key else None
        if made is not None:
            return made.body
        orders = _orders(desk, wish, session, stands_at, now)
        if wish.key:
            keys.remember(session, made_key, wish.actor.id, wish.fingerprint, status=MADE, body=orders, now=now)
    if isinstance(wish.body, SplitBody):
        concerns(orders[wish.reference]["other"], opened=True)
        desk.wake()
    return orders


def _orders(desk: Desk, wish: Wish, session: Session, stands_at: int | None, now: datetime) -> Orders:
    secret = desk.settings.reply_secret.get_secret_value().encode()
    writer = Writer(session, wish.reference, wish.actor, now, desk.policy, secret)
    if orders := _of_two(session, wish):
        # One of two cases that refuses after the other has agreed would leave them at odds.
        for reference, made in orders.items():
            _try(wish, _saved(session, wish, reference, stands_at), made | _version(wish, reference), now)
        return orders
    if isinstance(wish.body, SplitBody):
        # A case that refuses must not leave an inquiry behind.
        tried = {"other": "new", "points": wish.body.points, **_version(wish, wish.reference)}
        _try(wish, _saved(session, wish, wish.reference, stands_at), tried, now)
        return {wish.reference: split(writer, wish.body)}
    return {wish.reference: order_of(writer, wish.command, wish.body) | _standing_in(desk, wish, session, now)}


def _saved(session: Session, wish: Wish, reference: str, stands_at: int | None) -> Case:
    """A case as last saved, at the version where it stands by now."""
    case = cases.load(session, reference)
    if reference == wish.reference and stands_at is not None:
        case.version = stands_at
    return case


def _version(wish: Wish, reference: str) -> OrderData:
    """The version that the caller has seen, which is that of the named case alone."""
    seen_at = wish.expected_version if reference == wish.reference else None
    return {} if seen_at is None else {"expected_version": seen_at}


def _standing_in(desk: Desk, wish: Wish, session: Session, now: datetime) -> OrderData:
    """For whom the caller speaks today, where the command may be an area's word."""
    if wish.command not in SPEAKING:
        return {}
    today = desk.policy.whole_calendar().local_date(now)
    own = sorted(wish.areas) if wish.command in BY_ANY_MEMBER else []
    return {"stands_in": [*stands_in(session, desk.policy, wish.actor, today), *own]}


def _of_two(session: Session, wish: Wish) -> Orders:
    """The orders of a command that two cases decide; none for any other."""
    if isinstance(wish.body, MergeBody):
        return merge_orders(session, wish.reference, wish.body)
    return link_orders(session, wish.reference, wish.command, wish.body) if wish.command in LINKING else {}


def _try(wish: Wish, case: Case, order: OrderData, now: datetime) -> None:
    """Decide on a copy of the case as last saved. Raises Refused."""
    data = {**order, "actor": wish.actor.model_dump(mode="json")}
    decide(case, wish.command, read(wish.command, data), now, trusted=True)


async def _send(desk: Desk, wish: Wish, reference: str, order: OrderData, update: str) -> Answer:
    by = wish.actor.model_dump(mode="json")
    data: dict[str, Any] = {**order, **_version(wish, reference), "actor": by, "key": update}

    async def load() -> Case:
        return await asyncio.to_thread(_load, desk, reference)

    try:
        return await command_case(
            desk.client,
            desk.settings.task_queue,
            reference,
            wish.command,
            read(wish.command, data),
            key=update,
            now=desk.clock(),
            load=load,
        )
    except (WorkflowUpdateFailedError, RPCError) as error:
        # It closed while the command was on its way, or a worker of another version runs: neither yes nor no.
        kind = type(error).__name__
        log.error("command.unanswered", command=wish.command, reference=reference, error=kind)  # noqa: TRY400  texts tell
        raise EngineUnavailable("the case gave no answer") from error


def _load(desk: Desk, reference: str) -> Case:
    with desk.database.read() as session:
        return cases.load(session, reference)


def _remember(desk: Desk, wish: Wish, answer: Answer) -> Answer:
    """Keep the answer and return it. The case has decided: where it cannot be kept, the case answers the same again."""
    if wish.key:
        body, now = answer.model_dump(mode="json"), desk.clock()
        try:
            with desk.database.write() as session:
                keys.remember(session, wish.key, wish.actor.id, wish.fingerprint, status=DONE, body=body, now=now)
        except RecordsUnavailable:
            log.warning("command.answer-not-kept", command=wish.command, reference=wish.reference)
    return answer
