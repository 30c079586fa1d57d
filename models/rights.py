"""Who may do what: one table of actions and roles, and what hides a single case from somebody.

A role may what the table says. A case may still be hidden from somebody who may read or move cases: then it does not
exist for them.
"""

from collections.abc import Iterable
from typing import NamedTuple

from models.case import Case
from models.commands import COMMANDS
from models.inquiry import ActorId, Area, Role
from models.sections.staff import Rights

ANSWERING = frozenset({Role.AGENT, Role.REPRESENTATIVE, Role.SUPERVISOR, Role.COMPLIANCE})
"""They answer users."""

READING = ANSWERING | {Role.AUDITOR}
ANYBODY = READING | {Role.INTAKE}
MANAGING = frozenset({Role.SUPERVISOR, Role.COMPLIANCE})
WATCHING = frozenset({Role.COMPLIANCE, Role.AUDITOR})

RIGHTS: dict[str, frozenset[Role]] = {
    "access.self": ANYBODY,
    "access.break-glass": ANSWERING,
    "audit.read": WATCHING,
    "binding.confirm": frozenset({Role.INTAKE}),
    "binding.make": ANSWERING,
    "codec.decode": MANAGING,
    "inbox.read": READING,
    "incident.read": READING,
    "incident.change": ANSWERING,
    "inquiry.list": READING,
    "inquiry.read": READING,
    "inquiry.register": ANSWERING | {Role.INTAKE},
    "inquiry.try": ANSWERING,
    "message.promote": ANSWERING,
    "quality.judge": MANAGING,
    "quality.read": MANAGING | {Role.AUDITOR},
    "report.read": MANAGING | {Role.AUDITOR},
    "staff.read": READING,
    "staff.change": MANAGING,
    "staff.return": frozenset({Role.COMPLIANCE}),
    "webhook.read": MANAGING | {Role.AUDITOR},
    "webhook.change": MANAGING,
    **dict.fromkeys(COMMANDS, ANSWERING),
    "compartment": frozenset({Role.COMPLIANCE}),
}
"""Every action, and the roles that may do it. A command bears its own name."""

SENSITIVE = frozenset(
    {"approve", "binding.confirm", "compartment", "declare_conflict", "quality.judge", "quality.read", "report.read"}
)
"""What leaves a line in the audit log although it was allowed."""

AUDITED = frozenset({"inbox.read", "incident.read", "inquiry.list", "inquiry.read"})
"""What leaves a line when an auditor does it: whoever may read everything is watched as well."""


def may(role: Role, action: str) -> bool:
    """Say whether a role may do something; what the table does not know nobody may."""
    return role in RIGHTS.get(action, frozenset())


def leaves_a_line(role: Role, action: str) -> bool:
    """Say whether something stands in the audit log although it was allowed."""
    return action in SENSITIVE or (role is Role.AUDITOR and action in AUDITED)


class Eyes(NamedTuple):
    """Who looks: `closed` are the areas whose cases they do not see; `secrets` opens every compartment."""

    actor: ActorId
    closed: frozenset[Area] = frozenset()
    secrets: bool = False

    @classmethod
    def of(cls, actor: ActorId, role: Role, areas: Iterable[Area], rights: Rights) -> "Eyes":
        """What somebody of these areas sees by the policy's rights. Compliance makes compartments, and sees them."""
        closed = frozenset() if role in rights.open_to else frozenset(rights.closed_areas) - frozenset(areas)
        return cls(actor, closed, secrets=role is Role.COMPLIANCE or role in rights.compartments_open_to)


class Kept(NamedTuple):
    """What keeps a case from people: its area, who is named in its compartment (None without one), whom it is about."""

    area: Area
    compartment: tuple[ActorId, ...] | None = None
    about: tuple[ActorId, ...] = ()

    @classmethod
    def of(cls, case: Case) -> "Kept":
        """What keeps this case."""
        return cls(case.area, case.compartment, case.about)

    def hidden(self, eyes: Eyes) -> str:
        """Return the code of what hides it from somebody; empty where they may see it."""
        named = eyes.actor in (self.compartment or ())
        return hides(
            eyes, self.area, secret=self.compartment is not None, named=named, concerned=eyes.actor in self.about
        )


def hides(eyes: Eyes, area: Area, *, secret: bool, named: bool, concerned: bool) -> str:
    """Return the code of what hides a case from somebody; empty where they may see it.

    `secret`: it lies in a compartment; `named`: they are named there; `concerned`: the complaint is about them, which
    no name and no role outweighs.
    """
    if concerned:
        return "rights.concerned"
    if secret and not (named or eyes.secrets):
        return "rights.compartment"
    if area in eyes.closed and not named:
        return "rights.area"
    return ""
