"""Who does what: areas, whom a matter goes to, who sees what, who is reminded, told and alarmed, and when."""

from typing import Annotated

from pydantic import Field

from models.inquiry import ActorId, Area, Role
from models.policy_file import Bilingual, Section, Text, Url
from models.terms import Days, Matter, Minutes, Place


class AreaSettings(Section):
    """A specialised area: its name, its designated representative and the deputy, and how letters call the two.

    M3.3, M5.4. Both are ids of the staff; their titles are what the user reads.
    """

    label: Bilingual
    representative: ActorId
    deputy: ActorId
    representative_title: Bilingual
    deputy_title: Bilingual


class Staff(Section):
    """Whom a matter goes to, and who is told, when nobody else is there: the first of them who is present."""

    supervisors: Annotated[tuple[ActorId, ...], Field(min_length=1)]
    compliance: Annotated[tuple[ActorId, ...], Field(min_length=1)]


class BreakGlass(Section):
    """Who may open one hidden case to themselves, for how many minutes, and who is alarmed by it."""

    roles: tuple[Role, ...]
    minutes: Annotated[int, Field(ge=1, le=24 * 60)]
    alarms: tuple[ActorId, ...]


class Rights(Section):
    """Areas whose cases only their own members see, beside the roles of `open_to`; who sees every compartment."""

    closed_areas: tuple[Area, ...]
    open_to: tuple[Role, ...]
    compartments_open_to: tuple[Role, ...]
    break_glass: BreakGlass


class Reminders(Section):
    """Who is told in turn before a due date, how long before it approvers are told again, and when nobody is.

    With `agenda` they are also told of follow-ups that have come and of information that has not. `link` and a
    reference is where colleagues find a case.
    """

    order: Annotated[tuple[Place, ...], Field(min_length=1)]
    agenda: bool
    approvers_before_business_days: Days
    quiet_from_hour: Annotated[int, Field(ge=1, le=23)]
    link: Url


class Digest(Section):
    """When colleagues get their morning digest, a local hour of business days, and how far ahead it looks."""

    hour: Annotated[int, Field(ge=0, le=23)]
    due_business_days: Annotated[int, Field(ge=1, le=30)]


class UrgentMatter(Section):
    """A matter that cannot wait: its name, and in each language the words that tell of it (`models.urgency`)."""

    label: Bilingual
    es: tuple[Text, ...]
    en: tuple[Text, ...]


class Urgent(Section):
    """What cannot wait, whom it alarms in turn, and the minutes between the alarms, the last again and again."""

    order: Annotated[tuple[Place, ...], Field(min_length=1)]
    minutes: Annotated[tuple[Minutes, ...], Field(min_length=1)]
    matters: dict[Matter, UrgentMatter]

    @property
    def lines(self) -> dict[Matter, tuple[str, ...]]:
        """Every line of words by its matter, whatever its language: people mix them."""
        return {name: (*matter.es, *matter.en) for name, matter in self.matters.items()}
