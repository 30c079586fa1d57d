"""The list of inquiries: its order, its pages, its filters."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session

from models.inquiry import Kind
from models.reference import new_reference
from records import cases
from records.database import Database
from tests.api.world import World
from tests.cases import MONDAY, new_case
from tests.databases import Template


def many(session: Session, count: int) -> None:
    chooser = random.Random(3)
    for n in range(count):
        received = MONDAY + timedelta(days=n % 40)
        kind = Kind.COMPLAINT if n % 3 else Kind.INQUIRY
        case = new_case(received, kind=kind, reference=new_reference("RX", chooser))
        cases.add(
            session, case, subject=f"Caso {n} Ñandú" if n % 50 == 0 else f"Caso {n}", excerpt="", status_token=str(n)
        )


@pytest.fixture(scope="module")
def blank_records(blank_records: Template, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Records with 250 inquiries, made once and copied for every test here."""
    url, crowd = blank_records.apart(tmp_path_factory.mktemp("crowd"))
    database = Database(url)
    with database.write() as session:
        many(session, 250)
    database.close()
    return crowd


async def test_two_hundred_and_fifty_inquiries_come_in_pages_sorted_by_due_date(front: World) -> None:
    seen: list[tuple[str, str]] = []
    cursor = None
    sizes = []
    while True:
        query: dict[str, str] = {"cursor": cursor} if cursor else {}
        response = await front.get("/api/inquiries", params=query)
        assert response.headers["Cache-Control"] == "no-store"
        page = response.json()
        sizes.append(len(page["items"]))
        seen += [(line["next_due_at"], line["reference"]) for line in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sizes == [50] * 5
    assert len(set(seen)) == 250
    assert seen == sorted(seen)
    assert len((await front.get("/api/inquiries?limit=200")).json()["items"]) == 200


async def test_filters_narrow_the_list(front: World) -> None:

    async def found(**query: str) -> list[dict[str, str]]:
        items: list[dict[str, str]] = (await front.get("/api/inquiries", params={"limit": "200", **query})).json()[
            "items"
        ]
        return items

    assert {line["kind"] for line in await found(kind="inquiry")} == {"inquiry"}
    assert len(await found(kind="inquiry")) == 84
    assert len(await found(text="ñandú")) == 5
    assert len(await found(text="100%")) == 0
    assert await found(status="answered") == []
    assert await found(channel="web") == []
    assert len(await found(area="cx", status="received")) == 200
    day = "2026-02-10"
    before = await found(due_before=day)
    assert before
    # The day's own end is not before the day.
    assert {line["next_due_at"] for line in before} == {"2026-02-10T05:59:59Z"}
    assert len(await found(due_before="2026-02-10T05:59:59Z")) == 0


async def test_the_list_shows_what_is_to_be_looked_at_again(world: World) -> None:
    reference, other = await world.opened(), await world.opened(email="eva@example.org")
    day = (datetime.now(UTC) + timedelta(days=10)).date()
    for _ in range(2):
        answer = await world.command(reference, "follow_up", {"on": day.isoformat(), "note": "Ask the bank."})
        assert answer.status_code == 200, answer.text
    await world.settled(reference, lambda view: len(view["state"]["follow_ups"]) == 2)
    later = (day + timedelta(days=7)).isoformat()
    found = (await world.get("/api/inquiries", params={"follow_up_before": later})).json()["items"]
    assert [line["reference"] for line in found] == [reference]
    assert found[0]["follow_up_at"]
    assert not (await world.get("/api/inquiries", params={"follow_up_before": "2026-01-01"})).json()["items"]
    assert other
