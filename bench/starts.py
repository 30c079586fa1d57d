"""What the sandbox costs: processor time of a worker for each start of the inquiry's workflow with nothing to do."""

from datetime import timedelta

from bench.load import seed
from bench.meter import Meter
from bench.rates import crowd, now, numbers
from bench.stage import Resident, Site
from engine import connect
from models.case import Case
from models.policy_reading import load_policy
from models.work import InquiryInput
from records import cases
from records.database import Database

KINDS = ("sandboxed", "unsandboxed")


async def start_costs(site: Site, count: int, rounds: int) -> dict[str, float]:
    """Worker milliseconds each by kind, the median of the rounds; the two take turns."""
    nothing, client = closed_case(site), await connect(site.settings)
    workers: dict[str, Resident] = {}
    for kind in KINDS:
        workers[kind] = site.python(f"starts-{kind}", "-m", "bench.start_worker", kind)
        await site.polled(f"starts-{kind}", workers[kind])

    async def run(kind: str, times: int) -> float:
        async def one(number: int) -> None:
            await client.execute_workflow(
                "Inquiry", InquiryInput(case=nothing), id=f"start/{number}", task_queue=f"starts-{kind}"
            )

        watch = Meter(worker=workers[kind])
        await crowd(one, [next(numbers) for _ in range(times)])
        return watch.read().per(times)["worker"]

    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for turn in range(rounds + 1):
        for kind in KINDS:
            cost = await run(kind, count if turn else 30)
            if turn:  # the first one only warms up
                found[kind].append(cost)
    return {kind: sorted(costs)[len(costs) // 2] for kind, costs in found.items()}


def closed_case(site: Site) -> Case:
    """A case that owes nothing and is closed: its workflow starts, looks, and ends."""
    database = Database(site.settings.records_url)
    with database.write() as session:
        case = cases.load(
            session, seed(session, load_policy(site.settings.policy), "nothing", now(), timedelta(hours=1))
        )
    database.close()
    case.seal()
    return case.model_copy(update={"obligations": [], "letters": [], "closed_at": now()})
