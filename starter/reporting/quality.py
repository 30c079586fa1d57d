"""The quality review of a month: the sample of its final answers, what was said of them, and how each area did.

Figures are told by area. Who gave an answer stands beside it, so that nobody judges their own and it can be talked
over; nothing is counted by person.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from pydantic import AwareDatetime
from sqlmodel import Session

from models.errors import Malformed
from models.policy import Policy
from models.quality import Lot, draw
from models.sight import Eyes
from models.tables import VerdictRow
from records import verdicts, visibility
from records.answers import Answered, answered
from records.figures import Window
from starter.admin.causes import Labelled
from starter.admin.views import View
from starter.reporting.periods import read_period


class CriterionView(View):
    """Whether an answer meets one criterion, and what was said of it."""

    good: bool
    remark: str


class VerdictView(View):
    """What somebody said of an answer, by the criteria of the policy's `version`."""

    judged_by: str
    at: AwareDatetime
    version: str
    criteria: dict[str, CriterionView]

    @classmethod
    def of(cls, row: VerdictRow) -> Self:
        """Show a row."""
        said = {name: CriterionView(good=good, remark=row.remarks.get(name, "")) for name, good in row.criteria.items()}
        return cls(judged_by=row.judged_by, at=row.at, version=row.version, criteria=said)


class SampledView(View):
    """A final answer to look at: `letter` leads to its words. `verdicts` are all that were given, the newest last."""

    reference: str
    letter: str
    answered_at: AwareDatetime
    outcome: str
    area: str
    kind: str
    by: str
    approved_by: str
    verdicts: tuple[VerdictView, ...]


class AreaView(View):
    """An area's month: final answers, those in the sample, those judged; `good` counts the yes by criterion."""

    area: str
    answers: int
    sampled: int
    judged: int
    good: dict[str, int]


class QualityView(View):
    """A month's sample and what was said of it."""

    month: str
    version: str
    criteria: tuple[Labelled, ...]
    areas: tuple[AreaView, ...]
    sample: tuple[SampledView, ...]


@dataclass(frozen=True)
class Month:
    """A month that is over."""

    name: str
    window: Window

    @classmethod
    def read(cls, text: str, policy: Policy, now: datetime) -> Self:
        """Read it as `2026-03`. Raises Malformed for anything else, and for one that is not over."""
        try:
            period = read_period(text)
        except Malformed:
            period = None
        if period is None or period.months != (period.name,):
            raise Malformed("quality.month", "write a month, such as 2026-03", field="month")
        calendar = policy.whole_calendar()
        if calendar.local_date(now) <= period.last:
            raise Malformed("quality.running", "its sample is drawn once the month is over", field="month")
        return cls(text, period.window(calendar, now))


class Review:
    """The review of one month, as far as somebody sees its inquiries; the sample is the same for everybody."""

    def __init__(self, session: Session, policy: Policy, month: Month, eyes: Eyes) -> None:
        """Draw the sample. An inquiry that was answered twice in the month counts with its last answer."""
        self._policy, self._month = policy.quality, month
        last = {one.reference: one for one in answered(session, month.window)}
        lots = (Lot(one.hash, one.by, one.area, one.inquiry) for one in last.values())
        drawn = draw(policy.quality, month.name, lots)
        unseen = visibility.unseen(session, eyes)
        self.answers = [one for one in last.values() if one.reference not in unseen]
        self.sample = {one.reference: one for one in self.answers if one.hash in drawn}
        self._said = verdicts.given(session, month.window)

    def view(self) -> QualityView:
        """Show the whole month."""
        return QualityView(
            month=self._month.name,
            version=self._policy.version,
            criteria=tuple(Labelled.of(name, one) for name, one in self._policy.criteria.items()),
            areas=tuple(self._areas()),
            sample=tuple(self.show(one) for one in self.sample.values()),
        )

    def show(self, one: Answered) -> SampledView:
        """Show one answer."""
        return SampledView(
            reference=one.reference,
            letter=one.letter.removeprefix(f"{one.reference}/"),
            answered_at=one.at,
            outcome=one.outcome,
            area=one.area,
            kind=one.inquiry,
            by=one.by,
            approved_by=one.approved_by,
            verdicts=tuple(map(VerdictView.of, self._said.get((one.reference, one.letter), ()))),
        )

    def _areas(self) -> Iterable[AreaView]:
        for area in sorted({one.area for one in self.answers}):
            own = [one for one in self.answers if one.area == area]
            rows = [self._said[key][-1] for one in own if (key := (one.reference, one.letter)) in self._said]
            yield AreaView(
                area=area,
                answers=len(own),
                sampled=sum(one.reference in self.sample for one in own),
                judged=len(rows),
                good={name: sum(row.criteria.get(name, False) for row in rows) for name in self._policy.criteria},
            )
