"""The few steps that most paths are made of."""

from typing import Any

from temporalio.client import WorkflowHandle

from models.case import Case
from models.inquiry import EMAIL, Address
from records import contacts
from tests.cases import new_case
from tests.lives import Life

Handle = WorkflowHandle[Any, Any]


async def opened(life: Life, **more: Any) -> Handle:
    handle = await life.open(**more)
    await life.quiet(handle)
    return handle


async def done(life: Life, handle: Handle, name: str, **order: Any) -> Case:
    await life.command(handle, name, **order)
    return await life.quiet(handle)


async def resolved(life: Life, outcome: str, **more: Any) -> Handle:
    handle = await opened(life, **more)
    await done(life, handle, "resolve", outcome=outcome, draft=life.draft(handle))
    return handle


async def reaching(life: Life, *values: str) -> Case:
    """A case of a person with these e-mail addresses."""
    now = await life.env.get_current_time()
    known: str | None = None
    found: list[Address] = []
    with life.database.write() as session:
        for value in values:
            known, address = contacts.find_or_add(session, EMAIL, value, contact=known, now=now)
            found.append(address)
    return new_case(now, addresses=tuple(found)).model_copy(update={"contact": known})


def later(life: Life, handle: Handle, days: int) -> str:
    """So many business days after the running due date."""
    case = life.saved(handle)
    assert case.resolution_due
    return case.calendar.after(case.calendar.local_date(case.resolution_due), days).isoformat()
