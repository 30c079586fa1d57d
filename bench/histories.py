"""What lives leave in the engine: their histories, counted."""

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from models.reference import workflow_id

SAMPLED = 20
ACTIONS = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
    EventType.EVENT_TYPE_TIMER_STARTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
}
"""What Temporal Cloud would bill as an action; retries of activities aside, of which there are none here."""


async def history(client: Client, references: list[str]) -> dict[str, int]:
    """What a life costs the engine: events, bytes, state transitions, billable actions. Raises where lives differ."""
    found = []
    for reference in references[:SAMPLED]:
        handle = client.get_workflow_handle(workflow_id(reference))
        events = (await handle.fetch_history()).events
        info = (await handle.describe()).raw_description.workflow_execution_info
        found.append(
            {
                "events": len(events),
                "bytes": info.history_size_bytes,
                "state_transitions": info.state_transition_count,
                "cloud_actions": sum(event.event_type in ACTIONS for event in events),
            }
        )
    return {name: sorted(one[name] for one in found)[len(found) // 2] for name in found[0]} | {
        "most_events": max(one["events"] for one in found)
    }
