"""An alert as the case sees it: one mail to one colleague, so that no promise is forgotten; and what is urgent.

No user ever sees an alert and none meets a promise. The case says which places are asked in turn; who stands there, and
whether they are in, the records know when the mail leaves. All times are aware UTC.
"""

from enum import StrEnum

from pydantic import AwareDatetime

from models.inquiry import Area, Wire
from models.letters import LetterState
from models.terms import Matter, Place


class AlertKind(StrEnum):
    """The kinds of `policies/<operator>/staff/`."""

    REMINDER = "reminder"
    APPROVAL_DUE = "approval_due"
    UNDELIVERABLE = "undeliverable"
    URGENT = "urgent"
    FOLLOW_UP = "follow_up"
    INFORMATION_DUE = "information_due"


class Alert(Wire):
    """One mail to one colleague.

    `about` is the matter, in which nobody is told twice; `reason` a code for the template; `due` when the promise
    behind it ends; `spared` who must not be asked. Until `not_before` it is held; `ready` says that its time has come.
    `to` is who was told and `passed` who was away.
    """

    key: str
    kind: AlertKind
    about: str
    reason: str
    area: Area
    order: tuple[Place, ...]
    created_at: AwareDatetime
    due: AwareDatetime | None = None
    spared: tuple[str, ...] = ()
    not_before: AwareDatetime | None = None
    ready: bool = False
    state: LetterState = LetterState.OWED
    to: str = ""
    passed: tuple[str, ...] = ()


class Urgency(Wire):
    """A matter that cannot wait: `next_at` is when the alarm is raised again, `rounds` how often it was."""

    matter: Matter
    at: AwareDatetime
    next_at: AwareDatetime
    rounds: int = 0
    acknowledged_at: AwareDatetime | None = None


class Summons(Wire):
    """What the activity needs to tell a colleague. `owner` has the case, `tried` have been told of the matter."""

    reference: str
    alert: Alert
    owner: str
    tried: tuple[str, ...] = ()


class Heard(Wire):
    """Who was told: `to` is empty where nobody is left; `reached` is False where the mailbox is dead."""

    key: str
    at: AwareDatetime
    to: str = ""
    passed: tuple[str, ...] = ()
    reached: bool = True
