"""The incident tool: which one takes new incidents, and what an outside one is told (M5.6)."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from models.area_work import IncidentState
from models.policy_file import Section
from models.terms import Matter


class Jira(Section):
    """The project in Jira, and what its own names mean: of a status, or of a resolution where that says more."""

    enabled: bool
    project: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{1,9}$")]
    issue_type: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    states: dict[Annotated[str, StringConstraints(min_length=1, max_length=60)], IncidentState]


class SignedWebhook(Section):
    """A tracker that takes signed posts and sends them."""

    enabled: bool


class Tracker(Section):
    """The incident tool (M5.6): which one takes new incidents, what an outside one is told, what they may be about."""

    use: Literal["builtin", "jira", "webhook"]
    leaves: Literal["reference", "reference_and_description"]
    matters: dict[Matter, Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]]
    jira: Jira
    webhook: SignedWebhook

    @property
    def enabled(self) -> tuple[str, ...]:
        """The trackers that are switched on; the built-in one always is."""
        outside = {"jira": self.jira.enabled, "webhook": self.webhook.enabled}
        return ("builtin", *(name for name, wanted in outside.items() if wanted))

    def title(self, reference: str, n: int, matter: Matter) -> str:
        """Return an incident's title, the same for every operator's tool; nothing of a person is in it."""
        words = self.matters.get(matter)
        return f"{reference} incident {n}: {words}" if words else f"{reference} incident {n}"
