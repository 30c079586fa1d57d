"""What the admin API takes and shows of the staff. A date is a day in the operator's zone; e-mail is personal data."""

from datetime import date, time
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints
from sqlmodel import Session

from models.inquiry import Area
from models.messages import Reasons
from models.policy import Policy
from models.policy_file import Email
from models.tables import AbsenceRow, ShiftRow, StaffRow
from records import sign_ins, staff
from starter.admin.bodies import MOST, Body
from starter.admin.views import View

StaffId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]
"""An actor's id that can stand in an address of the web: opaque, never a name."""

Spoken = Literal["es", "en"]
Holding = Literal["agent", "representative", "supervisor", "compliance", "auditor"]


class PersonBody(Body):
    """Somebody of the staff, new or as they are from now on.

    `reasons` stand in the timeline of each case that they lose with an area.
    """

    id: StaffId
    email: Annotated[Email, StringConstraints(min_length=3)]
    role: Holding
    language: Spoken = "es"
    areas: tuple[Area, ...] = Field(default=(), max_length=MOST)
    languages: tuple[Spoken, ...] = Field(default=("es",), min_length=1, max_length=2)
    reasons: Reasons | None = None


class SignInBody(Body):
    """The `sub` that the sign-in provider writes into somebody's tokens."""

    subject: Annotated[str, StringConstraints(min_length=1, max_length=255)]


class AbsenceBody(Body):
    """Away from the first day to the last, both included; one that begins on the same day is replaced."""

    first: date
    last: date
    reasons: Reasons


class TrainingBody(Body):
    """Trained for an area's matters in a language, up to and including a day.

    `reasons` stand in the timeline of each case that they lose where that day is past.
    """

    area: Area
    language: Spoken
    until: date
    reasons: Reasons | None = None


def _local(value: time) -> time:
    if value.tzinfo is not None:
        msg = "want a local time without an offset, such as 08:00"
        raise ValueError(msg)
    return value


LocalTime = Annotated[time, AfterValidator(_local)]


class Shift(View):
    """Hours of every week, in the operator's zone; weekday 0 is Monday. One may end on the next day."""

    weekday: Annotated[int, Field(ge=0, le=6)]
    starts: LocalTime
    ends: LocalTime


class ShiftsBody(Body):
    """The whole week, in the place of the one before."""

    shifts: tuple[Shift, ...] = Field(max_length=MOST)


class LeaveBody(Body):
    """Why the cases go on; it stands in the timeline of each."""

    reasons: Reasons


class HandOverAskBody(LeaveBody):
    """Why, and which: those of these areas, or all; with `untrained` only those that they are not trained for today."""

    areas: tuple[Area, ...] = Field(default=(), max_length=MOST)
    untrained: bool = False


class PersonView(View):
    """Somebody of the staff. `email` is shown to supervisors and compliance alone."""

    id: str
    role: str
    language: str
    areas: tuple[str, ...]
    languages: tuple[str, ...]
    represents: tuple[str, ...]
    stands_in_for: tuple[str, ...]
    present: bool
    email: str

    @classmethod
    def of(cls, row: StaffRow, policy: Policy, *, absent: bool, whole: bool) -> "PersonView":
        """Show somebody; `whole`: with what is nobody else's business."""
        return cls(
            id=row.id,
            role=row.role,
            language=row.language,
            areas=tuple(row.areas),
            languages=tuple(row.languages),
            represents=tuple(name for name, area in policy.areas.items() if area.representative == row.id),
            stands_in_for=tuple(name for name, area in policy.areas.items() if area.deputy == row.id),
            present=not absent and row.left_at is None,
            email=row.email if whole else "",
        )


class StaffView(View):
    """All who have not left, by id."""

    items: tuple[PersonView, ...]


class Absence(View):
    """Days away; `reasons` and `by` are shown to supervisors and compliance alone."""

    first: date
    last: date
    by: str = ""
    reasons: str = ""


class Training(View):
    """What somebody may answer, up to and including a day."""

    area: str
    language: str
    until: date


class WholePersonView(View):
    """Somebody of the staff with all that is known of them.

    `subjects`: the `sub`s of their tokens, shown to supervisors and compliance alone. `handover` answers a change that
    took an area or a training away: what of their open cases went to whom. While its `remaining` is not 0, ask
    `POST /api/staff/{who}/handover` for the rest.
    """

    person: PersonView
    joined_at: AwareDatetime
    left_at: AwareDatetime | None
    subjects: tuple[str, ...]
    absences: tuple[Absence, ...]
    trainings: tuple[Training, ...]
    shifts: tuple[Shift, ...]
    handover: "HandOverView | None" = None

    @classmethod
    def of(cls, session: Session, row: StaffRow, policy: Policy, *, absent: bool, whole: bool) -> "WholePersonView":
        """Show somebody; `whole`: with what is nobody else's business."""
        away = staff.absences_of(session, row.id)
        return cls(
            person=PersonView.of(row, policy, absent=absent, whole=whole),
            joined_at=row.joined_at,
            left_at=row.left_at,
            subjects=sign_ins.subjects_of(session, row.id) if whole else (),
            absences=tuple(_absence(one, whole=whole) for one in away),
            trainings=tuple(Training.model_validate(one) for one in staff.trainings_of(session, row.id)),
            shifts=tuple(Shift.model_validate(one) for one in staff.shifts_of(session, row.id)),
        )


def _absence(row: AbsenceRow, *, whole: bool) -> Absence:
    return Absence.model_validate(row) if whole else Absence(first=row.first, last=row.last)


def shift_rows(who: str, body: ShiftsBody) -> list[ShiftRow]:
    """The rows of somebody's week; of two that begin together the later one counts."""
    named = {(shift.weekday, shift.starts): shift for shift in body.shifts}
    return [ShiftRow(staff=who, **shift.model_dump()) for shift in named.values()]


class LoadView(View):
    """What an owner has: inquiries that owe something, those overdue, the next one due; and whether they are there."""

    owner: str
    present: bool
    owing: int
    overdue: int
    next_due_at: AwareDatetime | None
    next_reference: str


class WorkloadView(View):
    """Who has what: owners of open work, and all of the staff, by id."""

    items: tuple[LoadView, ...]


class HandedView(View):
    """A case that went to somebody else, and how they were found."""

    reference: str
    owner: str
    step: str


class StaysView(View):
    """A case that stays, and the code of why; one that is hidden from whoever asks has no reference."""

    reference: str
    code: str


class HandOverView(View):
    """What was handed over now, and what cannot be by whoever asks; while `remaining` is not 0, ask again."""

    handed: tuple[HandedView, ...]
    stays: tuple[StaysView, ...]
    remaining: int
