"""Orders that consult the specialised areas: a question, its answer or withdrawal, a verification (M3.3, M5.3)."""

from pydantic import Field

from models.inquiry import Area
from models.messages import Order, Reasons

MOST_POINTS = 100


class Refer(Order):
    """Put a question to a specialised area (M3.3)."""

    area: Area
    question: Reasons


class AnswerReferral(Order):
    """The area's findings (M5.3)."""

    area: Area
    findings: Reasons


class WithdrawReferral(Order):
    """The question is put no longer."""

    area: Area
    reasons: Reasons


class Verify(Order):
    """An area's word that the answer to these points is adequate and exact; without points, to all of them (M5.3)."""

    area: Area
    findings: Reasons
    points: tuple[Reasons, ...] = Field(default=(), max_length=MOST_POINTS)
