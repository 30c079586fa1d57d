"""What hides a single case from somebody: a closed area, a compartment, a complaint about them."""

from collections.abc import Iterable
from typing import NamedTuple

from models.case import Case
from models.inquiry import ActorId, Area, Role
from models.sections.staff import Rights


class Eyes(NamedTuple):
    """Who looks: `closed` are the areas whose cases they do not see; `secrets` opens every compartment.

    They see a case of a closed area while it asks one of the areas that they speak for, `speaks`.
    """

    actor: ActorId
    closed: frozenset[Area] = frozenset()
    secrets: bool = False
    speaks: frozenset[Area] = frozenset()

    @classmethod
    def of(cls, actor: ActorId, role: Role, areas: Iterable[Area], rights: Rights) -> "Eyes":
        """What somebody of these areas sees by the policy's rights. Compliance makes compartments, and sees them."""
        closed = frozenset() if role in rights.open_to else frozenset(rights.closed_areas) - frozenset(areas)
        return cls(actor, closed, secrets=role is Role.COMPLIANCE or role in rights.compartments_open_to)


class Kept(NamedTuple):
    """What keeps a case from people: its area, who is named in its compartment (None without one), whom it is about.

    `asked` are the areas whose findings it waits for.
    """

    area: Area
    compartment: tuple[ActorId, ...] | None = None
    about: tuple[ActorId, ...] = ()
    asked: tuple[Area, ...] = ()

    @classmethod
    def of(cls, case: Case) -> "Kept":
        """What keeps this case."""
        return cls(case.area, case.compartment, case.about, areas_asked(case))

    def hidden(self, eyes: Eyes) -> str:
        """Return the code of what hides it from somebody; empty where they may see it."""
        named = eyes.actor in (self.compartment or ())
        return hides(
            eyes,
            self.area,
            secret=self.compartment is not None,
            named=named,
            concerned=eyes.actor in self.about,
            asked=not eyes.speaks.isdisjoint(self.asked),
        )


def areas_asked(case: Case) -> tuple[Area, ...]:
    """The areas whose findings a case waits for, in the order of their names."""
    return tuple(sorted({one.area for one in case.referrals if one.open}))


def hides(eyes: Eyes, area: Area, *, secret: bool, named: bool, concerned: bool, asked: bool = False) -> str:
    """Return the code of what hides a case from somebody; empty where they may see it.

    `secret`: it lies in a compartment; `named`: they are named there; `concerned`: the complaint is about them, which
    no name and no role outweighs; `asked`: they speak for an area whose findings it waits for.
    """
    if concerned:
        return "rights.concerned"
    if secret and not (named or eyes.secrets):
        return "rights.compartment"
    if area in eyes.closed and not (named or asked):
        return "rights.area"
    return ""
