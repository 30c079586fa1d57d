"""Which trackers there are: the built-in one, and those that the policy switches on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from models.errors import SettingsError
from models.policy import Policy
from settings import Settings, read_section
from trackers.builtin import BuiltIn
from trackers.jira.adapter import Jira
from trackers.jira.settings import JiraSettings
from trackers.port import Tracker
from trackers.webhook import Webhook, WebhookSettings


@dataclass(frozen=True)
class Trackers:
    """All that can be used, by name; `use` is the one that takes new incidents."""

    by_name: Mapping[str, Tracker]
    use: str


def load_trackers(policy: Policy, settings: Settings, clock: Callable[[], datetime]) -> Trackers:
    """Build what the policy enables. Raises one SettingsError that names all that is missing."""
    make: Mapping[str, Callable[[], Tracker]] = {
        "builtin": BuiltIn,
        "jira": lambda: Jira(read_section(JiraSettings, settings), policy.tracker.jira, settings.mailroom_port),
        "webhook": lambda: Webhook(read_section(WebhookSettings, settings), clock),
    }
    built: dict[str, Tracker] = {}
    wrong: list[str] = []
    for name in policy.tracker.enabled:
        try:
            built[name] = make[name]()
        except SettingsError as error:
            wrong.append(str(error))
    if wrong:
        raise SettingsError("\n".join(wrong))
    return Trackers(built, policy.tracker.use)
