"""What comes in from people and services: an order that can be read, or a refusal in the words that its sender gets."""

from collections.abc import Collection, Sequence
from datetime import datetime

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from models.case import Case
from models.commands import read
from models.errors import Malformed, Refused
from models.messages import Order
from models.sealing import is_sealed

MOST_BYTES = 128 * 1024
"""What a message may weigh. The longest legal one is far smaller, and a case that swallows much is too big to carry."""


def read_order(name: str, args: Sequence[RawValue], known: Collection[str]) -> Order:
    """Return the order in a message. Raises Malformed."""
    if name not in known:
        raise Malformed("command.unknown", f"expected one of {', '.join(known)}")
    if len(args) != 1:
        raise Malformed("command.inputs", f"exactly one input is expected, {len(args)} came")
    if args[0].payload.ByteSize() > MOST_BYTES:
        raise Malformed("command.too-long", f"an input may have {MOST_BYTES} bytes")
    try:
        value = workflow.payload_converter().from_payload(args[0].payload)
    except Exception as error:
        raise Malformed("command.unreadable", "the input is neither JSON nor sealed with a key of ours") from error
    return read(name, value)


def sealed(args: Sequence[RawValue]) -> bool:
    """Say whether one of our own services sent this, whose word on the actor counts."""
    return len(args) == 1 and is_sealed(args[0].payload)


def as_failure(refusal: Refused) -> ApplicationError:
    """Return what the engine tells whoever sent a refused command: the refusal's parts."""
    named = {"code": refusal.code, "detail": refusal.detail, "field": refusal.field, "rule": refusal.rule}
    parts = named | ({"missing": [list(one) for one in refusal.missing]} if refusal.missing else {})
    return ApplicationError(str(refusal), parts, type=type(refusal).__name__, non_retryable=True)


def put_down(case: Case, name: str, refusal: Refused, at: datetime) -> None:
    """Leave a refused signal in the timeline, made harmless: nobody waits to be told."""
    case.record(
        at,
        "command.refused",
        command=harmless(name, 60),
        code=refusal.code,
        texts={"detail": harmless(refusal.detail, 300)},
    )


def harmless(text: str, most: int) -> str:
    """Return a stranger's text, fit for any table and terminal."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text[:most])
