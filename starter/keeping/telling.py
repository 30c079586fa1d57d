"""What a restore has lost, in plain words, inquiry by inquiry."""

from collections.abc import Iterator

from records.rebuilding import Loss
from starter.keeping.rebuilding import Rebuilt


def words(rebuilt: Rebuilt) -> Iterator[str]:
    """Tell how it went, a line each; those about one inquiry are indented under it."""
    yield f"{rebuilt.looked_at} inquiries compared with Temporal"
    for loss in rebuilt.losses:
        yield loss.reference
        yield from (f"  {line}" for line in lost(loss))
    for reference, why in rebuilt.stuck.items():
        yield reference
        yield f"  could not be brought up, and sends nothing until it is: {why}"
    if not rebuilt.losses and not rebuilt.stuck:
        yield "nothing was lost: the records know all that the workflows know"


def lost(loss: Loss) -> Iterator[str]:
    """Tell of one inquiry what was lacking, and what a person must see to."""
    if loss.missing:
        opened = f"{loss.opened_at:%Y-%m-%d %H:%M} UTC"
        yield f"opened {opened} by {loss.channel}, after the backup: entered again without subject and status link"
    yield f"{_many(loss.events, 'event')} fetched again from Temporal"
    if loss.messages:
        yield f"{_many(loss.messages, 'message')} lost: the words and files are gone unless the provider has them still"
    if loss.addresses:
        yield f"{_many(loss.addresses, 'address', 'es')} lost: no letter can go there; give the inquiry an address"
    for key, at in loss.sent:
        yield f"letter {key} was accepted {at:%Y-%m-%d %H:%M} UTC and is not sent again; its words are lost"
    for key in loss.unsure:
        yield f"letter {key} may have left: it waits for the provider's word, then leaves as a possible duplicate"
    for key in loss.unwritable:
        yield f"letter {key} cannot be written: what a colleague wrote for it is lost; order it again"
    if loss.erased_again:
        yield "was erased after the backup, and has been erased again"


def _many(n: int, what: str, plural: str = "s") -> str:
    return f"{n} {what}{'' if n == 1 else plural}"
