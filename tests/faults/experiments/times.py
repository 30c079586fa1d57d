"""A worker's clock that is wrong, and a calendar that changes while cases are open: experiments 21 and 22."""

import asyncio
import sys
from datetime import UTC, date, datetime, timedelta
from functools import partial

from models.case import Case
from models.policy_reading import load_policy
from records import cases
from tests.faults.experiments.stage import Guest, Stage
from tests.faults.findings import Findings
from tests.faults.reading import told, until

HOURS = (2, -2)
SOON = timedelta(seconds=4)
DECREE = """
[[decree]]
date = {day}
territory = "national"
reason = {{ es = "Asueto de una prueba", en = "Holiday of a trial" }}
source = "https://example.org/decree"
"""


async def wrong_clock(stage: Stage) -> Findings:
    """The worker's wall clock is two hours ahead, then two hours behind."""
    found = Findings({"hours off": HOURS[0]})
    calendar = stage.town.policy.whole_calendar()
    guests: list[Guest] = []
    for hours in HOURS:
        await stage.town.stop("worker")
        stage.town.change("worker", sys.executable, "-m", "tests.faults.experiments.variant", "clock", str(hours))
        await stage.town.up("worker")
        here = await stage.open(stage.count(20))
        await stage.rest()
        at = datetime.now(UTC) + SOON
        await stage.obeyed(here[0], "follow_up", {"on": at.isoformat(), "note": "look"}, key="clock")
        await until(partial(told, stage.town, here[0].reference, "follow-up.due"), "it is called up")
        (called,) = told(stage.town, here[0].reference, "follow-up.due")
        if called.at < at:
            found.wrong.append(f"called up {at - called.at} early with the clock {hours} h off")
        found.figures[f"called up s late, {hours:+} h"] = round((called.at - at).total_seconds(), 2)
        guests += here
    for guest in guests:
        case = _case(stage, guest)
        due = calendar.due(case.received_at, case.terms.final_business_days)
        found.expect(f"final answer of {guest.reference}", case.resolution_due, due)
    await stage.town.stop("worker")
    stage.town.restore("worker")
    await stage.town.up("worker")
    return found


def _case(stage: Stage, guest: Guest) -> Case:
    with stage.town.database.read() as session:
        return cases.load(session, guest.reference)


def _promised(case: Case) -> list[tuple[str, datetime]]:
    return [(one.kind.value, one.due) for one in case.obligations]


async def new_holiday(stage: Stage) -> Findings:
    """A holiday is decreed, and then revoked: running cases keep their days, new ones count those of their day."""
    old = await stage.open(stage.count(50))
    await stage.rest()
    before = [_promised(_case(stage, guest)) for guest in old]
    file = stage.town.settings.policy / "decrees.toml"
    as_it_was = file.read_text(encoding="utf-8")
    calendar = stage.town.policy.whole_calendar()
    day = calendar.after(calendar.local_date(datetime.now(UTC)), 2)
    file.write_text(as_it_was + DECREE.format(day=day), encoding="utf-8")
    try:
        decreed = await _under_the_new(stage)
    finally:
        file.write_text(as_it_was, encoding="utf-8")
    revoked = await _under_the_new(stage)
    found = Findings({"running cases": len(old), "new ones": 2})
    found.expect("what running cases promise", [_promised(_case(stage, guest)) for guest in old], before)
    found.expect("closed in a case from before", _case(stage, old[0]).calendar.is_business_day(day), wanted=True)
    found.expect("closed in one after the decree", decreed.calendar.is_business_day(day), wanted=False)
    found.expect("closed after the revocation", revoked.calendar.is_business_day(day), wanted=True)
    found.expect("moved by", _days(stage, decreed, day), 1)
    found.expect("moved back by", _days(stage, revoked, day), 0)
    return found


async def _under_the_new(stage: Stage) -> Case:
    """Start those anew who read the policy, and return a case that comes then."""
    await asyncio.gather(*(stage.town.stop(name) for name in ("web", "worker")))
    await asyncio.gather(*(stage.town.up(name) for name in ("web", "worker")))
    (guest,) = (await stage.open(2))[:1]
    await stage.rest()
    return _case(stage, guest)


def _days(stage: Stage, case: Case, day: date) -> int:
    """By how many business days its final answer is later than by the shipped calendar."""
    shipped = load_policy(stage.town.settings.policy).whole_calendar()
    assert shipped.is_business_day(day)
    assert case.resolution_due is not None
    term = case.terms.final_business_days
    first, due = shipped.local_date(case.received_at), shipped.local_date(case.resolution_due)
    return next(n for n in range(5) if shipped.after(first, term + n) == due)
