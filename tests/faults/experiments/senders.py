"""What senders and agents do twice, late or badly: experiments 17, 19 and 24."""

import asyncio
from typing import Any, NamedTuple

import httpx2
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from models.inquiry import Role, Status
from models.reference import workflow_id
from records import case_list, cases, messages
from tests.faults.experiments.stage import STILL, Guest, Stage, slowest
from tests.faults.findings import Findings
from tests.faults.reading import story, until
from tests.faults.senders import letter, post_mail, taken


async def after_the_end(stage: Stage) -> Findings:
    """A case is closed, and Temporal has forgotten it; its first mail comes again and again."""
    (guest,) = (await stage.open(2))[:1]
    await stage.rest()
    with stage.town.database.read() as session:
        (first,) = messages.of_case(session, guest.reference)
    withdrawal = {"command": "withdraw", "order": {"reasons": "settled", "message": first.id}}
    await stage.obeyed(guest, "propose", withdrawal, key="end", by=Role.REPRESENTATIVE)
    await until(lambda: _proposed(stage, guest) is not None, "its proposal is known", STILL)
    await stage.obeyed(guest, "approve", {"proposed_at": _proposed(stage, guest)}, key="end")
    guest.more += {"letter.accepted": 1, "case.withdrawn": 1}
    await until(lambda: _closed(stage, guest), "it is closed", STILL)
    await stage.rest()
    client = await stage.client()
    closed = await _again(stage, guest, stage.count(100))
    await _forget(client, guest.reference)
    forgotten = await _again(stage, guest, stage.count(100))
    await stage.handed_over()
    found = Findings({"replays while it was closed": len(closed), "after Temporal forgot it": len(forgotten)})
    found.none("not told that it was here", [said for said in closed + forgotten if not said["duplicate"]])
    found.none("another reference", [s["reference"] for s in closed + forgotten if s["reference"] != guest.reference])
    found.expect("Temporal knows it", await _known(client, guest.reference), wanted=False)
    return found


def _proposed(stage: Stage, guest: Guest) -> str | None:
    with stage.town.database.read() as session:
        proposal = cases.load(session, guest.reference).proposal
        return proposal.at.isoformat() if proposal else None


def _closed(stage: Stage, guest: Guest) -> bool:
    with stage.town.database.read() as session:
        return case_list.line(session, guest.reference).status == Status.CLOSED


async def _again(stage: Stage, guest: Guest, times: int) -> list[dict[str, Any]]:
    answers = await asyncio.gather(*(post_mail(stage.town.web, letter(guest)) for _ in range(times)))
    return [taken(answer.raise_for_status()) for answer in answers]


async def _forget(client: Client, reference: str) -> None:
    """Delete its closed run, as the end of the retention does."""
    execution = WorkflowExecution(workflow_id=workflow_id(reference))
    request = DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=execution)
    await client.workflow_service.delete_workflow_execution(request)
    async with asyncio.timeout(STILL):
        while await _known(client, reference):
            await asyncio.sleep(0.2)


async def _known(client: Client, reference: str) -> bool:
    try:
        await client.get_workflow_handle(workflow_id(reference)).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


async def one_command_often(stage: Stage) -> Findings:
    """One command 30 times at once under one key."""
    (guest,) = (await stage.open(2))[:1]
    await stage.rest()
    guest.more["case.noted"] += 1
    answers = await asyncio.gather(*(stage.command(guest, "note", {"text": "seen"}, key="often") for _ in range(30)))
    await stage.rest()
    found = Findings({"commands": 30, "different answers": len({answer.content for answer in answers})})
    found.none("not taken", [answer.status_code for answer in answers if not answer.is_success])
    found.expect("answers", len({answer.content for answer in answers}), 1)
    return found


class Poison(NamedTuple):
    """A body that no command may take."""

    command: str
    body: bytes


POISON = (
    Poison("note", b'{"text": "' + b"x" * 2_200_000 + b'"}'),
    Poison("note", b'{"text": "\xff\xfe"}'),
    Poison("note", b'{"text": "\\ud800"}'),
    Poison("note", b'{"text": NaN}'),
    Poison("note", b'{"text": 1e400}'),
    Poison("note", b'{"text": "seen", "nobody": "knows this"}'),
    Poison("note", b'{"text": ' + b"[" * 5000 + b"]" * 5000 + b"}"),
    Poison("note", b""),
    Poison("follow_up", b'{"on": "9999-12-31T23:59:59+00:00", "note": "x"}'),
    Poison("follow_up", b'{"on": "2026-11-23T10:00:00", "note": "naive"}'),
    Poison("follow_up", b'{"on": "2026-02-30", "note": "no day"}'),
    Poison("extend", b'{"until": "2020-01-01", "reasons": "backwards"}'),
    Poison("no_such_command", b"{}"),
)


async def poison(stage: Stage) -> Findings:
    """Bodies that no command may take, while colleagues work on the same case."""
    (guest,) = (await stage.open(2))[:1]
    await stage.rest()
    before = len(story(stage.town, guest.reference))
    headers = {"Authorization": f"Bearer {stage.town.key}", "Content-Type": "application/json"}

    async def send(one: Poison) -> httpx2.Response:
        path = f"/api/inquiries/{guest.reference}/{one.command}"
        return await stage.town.web.post(path, content=one.body, headers=headers)

    rounds = stage.count(50)
    pills = [one for _ in range(rounds) for one in POISON]
    working = [asyncio.create_task(stage.noted([guest], f"beside-{n}")) for n in range(rounds)]
    answers = [(one, await send(one)) for one in pills]
    taken_in = [seconds for task in working for seconds in await task]
    await stage.rest()
    found = Findings({"poisoned commands": len(pills), "commands beside them": rounds, "slowest s": slowest(taken_in)})
    found.none(
        "not refused",
        [f"{one.command} {one.body[:40]!r}: {answer.status_code}" for one, answer in answers if not _refused(answer)],
    )
    found.expect("facts", len(story(stage.town, guest.reference)), before + rounds)
    return found


def _refused(answer: httpx2.Response) -> bool:
    return 400 <= answer.status_code < 500
