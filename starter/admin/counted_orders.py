"""The orders that name what the policy's lists know: the cause of an answer, the kind of a remedy."""

from models.causes import CauseCode
from models.remedies import known_kind
from starter.admin.answer_bodies import CorrectCauseBody
from starter.admin.bodies import Body
from starter.admin.writer import OrderData, Writer


def named_cause(by: Writer, code: CauseCode) -> OrderData:
    """A cause as the taxonomy of today has it. Raises Refused for an unknown one."""
    return by.policy.taxonomy.named(code).model_dump(mode="json")


def correct_cause(by: Writer, body: CorrectCauseBody) -> OrderData:
    """Another cause for an answer."""
    return {"cause": named_cause(by, body.cause), "reasons": body.reasons}


def promise_remedy(by: Writer, body: Body) -> OrderData:
    """Of a kind that the policy names, where one is given."""
    order = body.model_dump(mode="json", exclude_none=True)
    known_kind(by.policy.remedies.kinds, order.get("kind"))
    return order
