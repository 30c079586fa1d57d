"""Cases that have to do with each other, and stay cases of their own: each keeps its terms and its answer (M3.8)."""

from datetime import datetime

from models.case import Case
from models.desk_orders import Link, Unlink
from models.errors import Refused
from models.inquiry import Actor


def link(case: Case, order: Link, actor: Actor, now: datetime) -> None:
    """Whoever reads this case should know of the other."""
    if order.other == case.reference:
        raise Refused("link.itself", "a case cannot be linked with itself", field="other")
    if order.other in case.linked:
        raise Refused("link.known", f"it is linked with {order.other} already", field="other")
    case.linked = (*case.linked, order.other)
    case.record(now, "case.linked", actor=actor, rule="M5.5", other=order.other, texts={"reasons": order.reasons})


def unlink(case: Case, order: Unlink, actor: Actor, now: datetime) -> None:
    """They have nothing to do with each other after all."""
    if order.other not in case.linked:
        raise Refused("link.none", f"it is not linked with {order.other[:40]}", field="other")
    case.linked = tuple(one for one in case.linked if one != order.other)
    case.record(now, "case.unlinked", actor=actor, rule="M5.5", other=order.other, texts={"reasons": order.reasons})
