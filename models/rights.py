"""Who may do what: one table of actions and roles. A role may what the table says.

A case may still be hidden from somebody who may read or move cases (`models.sight`): then it does not exist for them.
"""

from models.commands import COMMANDS
from models.inquiry import Role

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
    "binding.account": frozenset({Role.INTAKE}),
    "binding.inquiry": ANSWERING,
    "binding.make": ANSWERING | {Role.INTAKE},
    "codec.decode": MANAGING,
    "inbox.read": READING,
    "incident.read": READING,
    "incident.change": ANSWERING,
    "inquiry.list": READING,
    "inquiry.read": READING,
    "inquiry.register": ANSWERING | {Role.INTAKE},
    "inquiry.try": ANSWERING,
    "letter.approve": frozenset({Role.COMPLIANCE}),
    "letter.read": READING,
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
