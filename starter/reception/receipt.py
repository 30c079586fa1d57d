"""What became of a message, for whoever handed it in."""

from dataclasses import dataclass
from datetime import datetime

from models.case import Case
from models.obligations import ObligationKind


@dataclass(frozen=True)
class Receipt:
    """Without `reference` the message waits in quarantine. The dates (aware UTC) are those first promised.

    `new`: it opened the inquiry; `duplicate`: it was here before.
    """

    reference: str | None
    disposition: str
    new: bool = False
    duplicate: bool = False
    acknowledge_by: datetime | None = None
    answer_by: datetime | None = None


def receipt_of(case: Case, disposition: str, *, new: bool = False, duplicate: bool = False) -> Receipt:
    """Return the receipt of a message that belongs to a case."""
    first = {kind: next((o.due for o in case.obligations if o.kind is kind), None) for kind in ObligationKind}
    return Receipt(
        reference=case.reference,
        disposition=disposition,
        new=new,
        duplicate=duplicate,
        acknowledge_by=first[ObligationKind.ACKNOWLEDGEMENT],
        answer_by=first[ObligationKind.FINAL],
    )
