"""What runs beside a case's letters: trackers are told of incidents, and colleagues of what concerns them.

Each is told in a task of its own: what one does not take holds up neither a letter nor the others.
"""

import asyncio
from contextlib import suppress
from typing import Protocol

from temporalio import workflow
from temporalio.exceptions import ActivityError

from models.alerting import next_alert
from models.alerts import Alert, Heard
from models.area_work import Incident
from models.case import Case
from models.incidents import incident_key, tracked
from models.telling import heard, ready_alerts, settle_alerts, summons
from models.work import ALERT, TRACK, Errand, Told
from workflows.options import ALERT_PATIENCE, BREATH, ERRAND, RETRIES, STEP


class Story(Protocol):
    """Whose errands they are: its case, which every decision replaces, and whether it has to look at it again."""

    case: Case
    changed: bool


class Trackers:
    """The trackers that must know of incidents."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.under_way: dict[int, asyncio.Task[None]] = {}

    async def mind(self) -> None:
        """Tell the trackers what they do not know, however long it takes.

        A run that continues as new leaves a call under way behind; its successor makes it again under the same name.
        """
        while True:
            await workflow.wait_condition(lambda: bool(self.untold))
            for incident in self.untold:
                self.under_way[incident.n] = asyncio.create_task(self.tell(incident))

    @property
    def untold(self) -> list[Incident]:
        """The incidents of which nobody tells a tracker just now."""
        return [one for one in self.story.case.untold if one.n not in self.under_way]

    async def tell(self, incident: Incident) -> None:
        """Tell the tracker of one incident, as it stands; what it answers is folded in like a message."""
        try:
            told: Told = await workflow.execute_activity(
                TRACK,
                Errand(reference=self.story.case.reference, incident=incident),
                result_type=Told,
                start_to_close_timeout=ERRAND,
                retry_policy=RETRIES,
                summary=f"{incident.area} · {incident_key(self.story.case.reference, incident.n)}",
            )
        except ActivityError:
            workflow.logger.error("a tracker was told in a way nobody foresaw; it is tried again")
            await workflow.sleep(BREATH, summary="a pause before the next try at a tracker")
        else:
            tracked(self.story.case, told, workflow.now())
            self.story.changed = True
        del self.under_way[incident.n]


class Colleagues:
    """The colleagues who must be told."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.under_way: dict[str, asyncio.Task[None]] = {}

    async def mind(self) -> None:
        """Have colleagues told in time, whatever the letters and the trackers do: no user waits for it."""
        while True:
            settle_alerts(self.story.case, workflow.now())
            for alert in self.unheard:
                self.under_way[alert.key] = asyncio.create_task(self.tell(alert))
            at = next_alert(self.story.case)
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda at=at: bool(self.unheard) or next_alert(self.story.case) != at,  # type: ignore[misc]
                    timeout=at - workflow.now() if at else None,
                    timeout_summary="a colleague is told" if at else None,
                )

    @property
    def unheard(self) -> list[Alert]:
        """The alerts whose time has come and that are not on their way."""
        return [one for one in ready_alerts(self.story.case) if one.key not in self.under_way]

    async def tell(self, alert: Alert) -> None:
        """Tell one colleague; a mailbox or a provider that does not take it holds up nothing else."""
        try:
            answer: Heard = await workflow.execute_activity(
                ALERT,
                summons(self.story.case, alert),
                result_type=Heard,
                start_to_close_timeout=STEP,
                schedule_to_close_timeout=ALERT_PATIENCE,
                retry_policy=RETRIES,
                summary=f"{alert.kind.value} · {alert.key}",
            )
        except ActivityError:
            await workflow.sleep(BREATH, summary="a pause before a colleague is told again")
            settle_alerts(self.story.case, workflow.now())
        else:
            heard(self.story.case, answer, workflow.now())
            self.story.changed = True
        del self.under_way[alert.key]
