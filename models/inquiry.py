"""The nouns of an inquiry: channel, kind, language, outcome, status, role, and the address it is answered at."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Channel = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,15}$")]
"""A channel's name, such as `email` or `web`. Which exist is policy data, so adding one changes no type."""

Area = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,31}$")]
"""The name of a specialised area (M3.3, M5.4). Which exist is policy data."""

EMAIL = "email"
WEB = "web"
CHAT = "chat"


class Wire(BaseModel):
    """A frozen value that travels through the engine: read leniently, so old and new workers understand each other."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Kind(StrEnum):
    """Consulta or reclamo (M1.2). What is unclear is a complaint (reading 12)."""

    INQUIRY = "inquiry"
    COMPLAINT = "complaint"


class Language(StrEnum):
    """The language of the letters; uncertain means bilingual, and Spanish prevails (reading 12)."""

    ES = "es"
    EN = "en"
    BOTH = "es+en"


class Outcome(StrEnum):
    """How an inquiry is answered; each has its own final letter."""

    UPHELD = "upheld"
    PARTIAL = "partial"
    UNFOUNDED = "unfounded"
    INADMISSIBLE = "inadmissible"
    INQUIRY = "inquiry"


class Status(StrEnum):
    """Where a case stands; always derived from what is owed and met, never stored as a truth of its own."""

    RECEIVED = "received"
    OPEN = "open"
    REFERRED = "referred"
    EXTERNAL = "external"
    ANSWERING = "answering"
    ANSWERED = "answered"
    APPEALED = "appealed"
    CLOSED = "closed"


class Flag(StrEnum):
    """What sets a case apart in lists and in Temporal's own UI."""

    EXTENDED = "extended"
    ESCALATED = "escalated"
    APPEALED = "appealed"
    LATE = "late"
    UNDELIVERED = "undelivered"
    URGENT = "urgent"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"
    ERASED = "erased"


class Role(StrEnum):
    """What an actor may do.

    A representative answers for an area and may do all that an agent may; an intake service hands inquiries in and no
    more; an auditor reads; `system` is the software itself; `user` is the person who complained.
    """

    AGENT = "agent"
    REPRESENTATIVE = "representative"
    SUPERVISOR = "supervisor"
    COMPLIANCE = "compliance"
    AUDITOR = "auditor"
    INTAKE = "intake"
    SYSTEM = "system"
    USER = "user"


ActorId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:@/-]+$")]
"""Who somebody is to the software: an opaque id, never a name or an address."""


class Actor(Wire):
    """Who acts, and in which role."""

    id: ActorId
    role: Role


SYSTEM = Actor(id="plazo", role=Role.SYSTEM)
TEMPORAL_OPERATOR = Actor(id="temporal-operator", role=Role.AGENT)
"""Whoever signals from the stock command line: an agent's rights, never a supervisor's."""


class Address(Wire):
    """A place where the person can be written to: the address itself lives in the records database under `id`."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_.:/-]+$")]
    channel: Channel
    registered: bool = False
    """True for the e-mail registered on the account, which gets the copies of reading 7."""


AUTHORITY = Address(id="authority", channel=EMAIL)
"""Where letters to the authority go (M3.10); its address is policy data."""


PUBLIC = "public"
"""How the id of an address begins where everybody can read; the place itself lies with the message posted there."""


def public_address(channel: Channel) -> Address:
    """Return where everybody can read: only an invitation to go on in private is ever posted there."""
    return Address(id=f"{PUBLIC}/{channel}", channel=channel)


STAFF = "staff/"
"""How the id of a colleague's address begins; what follows is the colleague's own id."""


def staff_address(staff: ActorId) -> Address:
    """Return where a colleague is written to: the mailbox itself lies with the staff in the records database."""
    return Address(id=f"{STAFF}{staff}", channel=EMAIL)
