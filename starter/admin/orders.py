"""From what a caller sent to what a case decides on: stores what people wrote, and fills in what only the records know.

Everything here runs inside one write transaction of the records database, and gives JSON data: an order without actor,
key and version.
"""

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from models.commands import DECISIONS
from models.errors import Refused
from starter.admin import counted_orders, staff_orders, user_orders, written_orders
from starter.admin.bodies import Body, ProposeBody
from starter.admin.catalogue import BODIES
from starter.admin.joining import join_incident
from starter.admin.pair_orders import LINKING
from starter.admin.writer import OrderData, Writer
from starter.http.problems import malformed

UNPROPOSABLE = LINKING | {"merge", "split", "claim", "join_incident"}
"""Two change two cases, which the approval of one cannot; a claim is for whoever makes it; an incident moves on."""


def order_of(by: Writer, command: str, body: Body) -> OrderData:
    """The order that a body means. Raises Refused and its kin."""
    make = MAKERS.get(command)
    return make(by, body) if make else body.model_dump(mode="json", exclude_none=True)


def propose(by: Writer, body: ProposeBody) -> OrderData:
    """A command for another pair of eyes, its content stored now."""
    if body.command not in DECISIONS or body.command in UNPROPOSABLE:
        raise Refused("proposal.unknown", "this command cannot be proposed", field="command", rule="M5.3")
    try:
        inner = BODIES[body.command].model_validate(body.order)
    except ValidationError as error:
        raise malformed("request.malformed", error, "order") from None
    return {"command": body.command, "order": order_of(by, body.command, inner)}


MAKERS: dict[str, Callable[[Writer, Any], OrderData]] = {
    "reply": written_orders.reply,
    "set_points": written_orders.set_points,
    "refer": staff_orders.refer,
    "resolve": written_orders.resolve,
    "correct_cause": counted_orders.correct_cause,
    "promise_remedy": counted_orders.promise_remedy,
    "open_incident": written_orders.open_incident,
    "join_incident": join_incident,
    "request_information": written_orders.request_information,
    "request_identity": written_orders.request_identity,
    "accept_representative": user_orders.accept_representative,
    "reclassify": written_orders.reclassify,
    "withdraw": user_orders.withdraw,
    "request_erasure": user_orders.request_erasure,
    "refuse_erasure": written_orders.refuse_erasure,
    "assign": staff_orders.assign,
    "claim": staff_orders.claim,
    "approve": staff_orders.approve,
    "compartment": staff_orders.compartment,
    "declare_conflict": staff_orders.declare_conflict,
    "propose": propose,
}
"""The commands whose order is more than their body."""
