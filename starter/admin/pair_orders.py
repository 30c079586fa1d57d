"""The orders that concern two inquiries: both learn of it, or a second one is opened."""

from sqlmodel import Session

from models.case import Case
from models.case_orders import MOST_WAYS
from models.errors import Refused
from models.obligations import ObligationKind
from models.reference import is_reference
from models.ways import ways_in
from records import case_list, cases, documents
from starter.admin.bodies import Body, MergeBody, SplitBody
from starter.admin.gathering import kept_from_more, messages_of
from starter.admin.writer import OrderData, Writer
from starter.reception.opening import Opening, open_inquiry

LINKING = frozenset({"link", "unlink"})


def link_orders(session: Session, reference: str, command: str, body: Body) -> dict[str, OrderData]:
    """The orders of `link` and `unlink` by reference: both learn of it. Raises Refused for an unknown one."""
    order = body.model_dump(mode="json")
    other = str(order["other"])
    if not is_reference(other) or not cases.reference_exists(session, other):
        raise unknown_other(command)
    return {reference: order, other: {**order, "other": reference}}


def merge_orders(session: Session, reference: str, body: MergeBody) -> dict[str, OrderData]:
    """The orders of a merge by reference: the leading case's first, since it takes over every promise.

    Raises Refused for an unknown other case, and where the one that ends is kept from some who see the one that leads:
    they would read what it is about.
    """
    if not is_reference(body.other) or not cases.reference_exists(session, body.other):
        raise unknown_other("merge")
    this, other = cases.load(session, reference), cases.load(session, body.other)
    if kept_from_more(*((other, this) if body.leads else (this, other))):
        raise Refused("merge.kept", "the one that ends is kept from some who see the one that leads", field="leads")
    orders = {reference: _merge(other, leads=body.leads), body.other: _merge(this, leads=not body.leads)}
    return dict(sorted(orders.items(), key=lambda item: not item[1]["leads"]))


def unknown_other(command: str) -> Refused:
    """The other inquiry does not exist, or not for whoever asks."""
    return Refused(f"{command}.unknown", "no inquiry bears the other reference", field="other")


def split(by: Writer, body: SplitBody) -> OrderData:
    """Open the inquiry that the points go to: the same person, the reception of the message that raised them."""
    case = by.case
    received = case.received_at
    if body.message is not None:
        of_case = {row.id: row.received_at for row in messages_of(by.session, case)}
        if body.message not in of_case:
            raise Refused("split.no-message", "this inquiry has no such message", field="message", rule="M3.8")
        received = of_case[body.message]
    opening = Opening(
        channel=case.channel,
        contact=case.contact,
        addresses=tuple(a for a in case.addresses if a.id not in case.dead) or case.addresses,
        bound=case.bound,
        kind=case.kind,
        language=case.language,
        received_at=received,
        subject=case_list.line(by.session, by.reference).subject,
        text="\n".join(body.points),
        refers_to=by.reference,
    )
    opened = open_inquiry(by.session, opening, by.policy, by.now, actor=by.actor)
    # No message of its own says what it is about.
    words = {"text": opening.text}
    documents.save_draft(by.session, opened.reference, documents.OPENING, words, author=by.actor, now=by.now)
    return {"other": opened.reference, "points": list(body.points)}


def _merge(other: Case, *, leads: bool) -> OrderData:
    """What a case must be told when `other` is merged with it."""
    due = {promise.kind: promise.due.isoformat() for promise in other.owed()}
    return {
        "other": other.reference,
        "leads": leads,
        "contact": other.contact,
        "received_at": other.received_at.isoformat(),
        "acknowledgement_due": due.get(ObligationKind.ACKNOWLEDGEMENT),
        "final_due": due.get(ObligationKind.FINAL),
        "ways_in": [one.model_dump(mode="json") for one in ways_in(other)[:MOST_WAYS]],
    }
