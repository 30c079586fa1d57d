"""Each thing that may be away for a while: Temporal, the records, the provider; and a worker asked to stop."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import make_url

from records.database import PATIENCE
from tests.databases import away
from tests.faults.reading import (
    acknowledged,
    acknowledgement,
    channels,
    copies,
    follow_ups,
    heard,
    kept,
    note,
    somebody,
    stored,
    told,
    tries,
    until,
    write,
)
from tests.faults.senders import Person, letter, post_mail, taken
from tests.faults.town import SLOWLY, Town

pytestmark = pytest.mark.asyncio(loop_scope="module")

AWAY = 8.0
"""Seconds that Temporal stays away."""


async def test_the_same_mail_50_times_at_once_through_two_web_processes_makes_one_inquiry(here: Town) -> None:
    person = somebody()
    other = await here.add_web()
    async with httpx2.AsyncClient(base_url=other, timeout=30) as second:
        doors = [here.web, second] * 25
        answers = await asyncio.gather(*(post_mail(door, letter(person)) for door in doors))
    assert {answer.status_code for answer in answers} == {200}
    said = [taken(answer) for answer in answers]
    assert len({one["reference"] for one in said}) == 1
    assert [one["duplicate"] for one in said].count(False) == 1
    assert stored(here, person) == (1, 1)
    reference = said[0]["reference"]
    await until(lambda: acknowledged(here, reference), "it is acknowledged")
    assert len(await copies(here, reference)) == 1
    assert await here.stop("web2") == 0


async def test_while_temporal_is_away_all_is_taken_in_and_dispatched_in_order_afterwards(here: Town) -> None:
    early, late = somebody(), somebody()
    known = await write(here, early)
    await until(lambda: acknowledged(here, known), "it is acknowledged")
    await here.down("temporal")
    begun = time.monotonic()
    new = await write(here, late)
    for n in (1, 2, 3):
        assert await write(here, late, follows=n) == new
        assert await write(here, early, follows=n) == known
    command = await note(here, known, "while-away")
    assert command.status_code == 503
    assert int(command.headers["Retry-After"]) > 0
    assert command.headers["Content-Type"] == "application/problem+json"
    assert acknowledgement(here, new) is None
    await asyncio.sleep(max(0.0, begun + AWAY - time.monotonic()))
    await here.up("temporal")

    while (await note(here, known, "while-away")).status_code == 503:
        await asyncio.sleep(0.5)
    assert (await note(here, known, "while-away")).status_code == 200
    for reference in (known, new):
        await until(partial(all_heard, here, reference), "it has heard everything and is acknowledged")
        assert heard(here, reference) == follow_ups(here, reference)
        assert len(await copies(here, reference)) == 1
    assert len(told(here, known, "case.noted")) == 1


def all_heard(here: Town, reference: str) -> bool:
    return len(heard(here, reference)) == 3 and acknowledged(here, reference)


async def test_with_the_records_locked_the_sender_gets_503_and_a_life_in_the_middle_goes_on(here: Town) -> None:
    person, reference = await in_the_middle(here)
    with here.database.write() as locker:
        locker.connection()
        for _ in range(2):  # longer than the letter takes, and then a transaction's patience
            begun = time.monotonic()
            answer = await post_mail(here.web, letter(person))
            assert time.monotonic() - begun >= PATIENCE
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
        assert stored(here, person) == (0, 0)
    await goes_on(here, person, reference)


async def test_with_the_records_gone_the_sender_gets_503_and_a_life_in_the_middle_goes_on(here: Town) -> None:
    person, reference = await in_the_middle(here)
    with gone(here.settings.records_url):
        for _ in range(3):
            answer = await post_mail(here.web, letter(person))
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
            await asyncio.sleep(1)
        assert (await here.web.get("/readyz")).status_code == 503
    assert stored(here, person) == (0, 0)
    await goes_on(here, person, reference)


@contextmanager
def gone(url: str) -> Iterator[None]:
    """Take the records away under everybody's hands: the folder of the file goes, or the database takes nobody in."""
    address = make_url(url)
    if address.get_backend_name() == "postgresql":
        with away(url):
            yield
        return
    folder = Path(str(address.database)).parent
    aside = folder.rename(folder.with_name("aside"))
    try:
        yield
        assert not folder.exists(), "nothing is made anew in its place"
    finally:
        aside.rename(folder)


async def in_the_middle(here: Town) -> tuple[Person, str]:
    """Somebody who has not written yet, and another's inquiry whose letter is being handed over."""
    other = somebody()
    await here.fault("delay", seconds=1.5, count=1)
    reference = await write(here, other)
    await until(lambda: tries(here, reference) == 1, "its letter is under way")
    return somebody(), reference


async def goes_on(here: Town, person: Person, reference: str) -> None:
    """The records are back: the letter's acceptance is written down, with the story; the sender sends again."""
    await until(lambda: acknowledged(here, reference), "it is acknowledged")
    (retried,) = told(here, reference, "step.retried")
    assert retried.data["step"] == "deliver"
    assert retried.data["attempts"] > 1
    await only_recorded_copies(here, reference)
    assert await write(here, person) != reference
    assert stored(here, person) == (1, 1)
    await until(lambda: acknowledged(here, person.reference), "it is acknowledged")


async def test_a_revoked_key_delays_the_letter_and_switches_no_channel(here: Town) -> None:
    await here.fault("status", status=401, count=2)
    await here.fault("status", status=403, count=2)
    begun = time.monotonic()
    reference = await write(here, somebody())
    await until(lambda: acknowledged(here, reference), "it is acknowledged")
    assert time.monotonic() - begun >= 4 * SLOWLY
    (copy,) = await copies(here, reference)
    notice = kept(here, reference)
    assert copy["message_id"] == f"<{notice.message_id}>"
    assert not notice.possible_duplicate, "what was refused has surely not left"
    (retried,) = told(here, reference, "step.retried")
    assert retried.data["attempts"] == notice.tries == 5
    assert channels(here, reference) == {"email"}
    assert not told(here, reference, "letter.failed")


async def test_a_mailroom_that_hangs_up_after_accepting_gets_a_second_letter_only_where_its_word_is_lost(
    here: Town,
) -> None:
    await here.fault("hang_up_after_accept", count=2)
    await here.fault("lose_events", count=2)
    silent = await write(here, somebody())
    await until(lambda: acknowledged(here, silent), "it is acknowledged")
    notice = kept(here, silent)
    assert (notice.tries, notice.possible_duplicate) == (3, True)
    assert [copy["message_id"] for copy in await copies(here, silent)] == 3 * [f"<{notice.message_id}>"]
    assert [event.data["possible_duplicate"] for event in told(here, silent, "letter.accepted")] == [True]

    await here.fault("hang_up_after_accept", count=1)
    spoken = await write(here, somebody())
    await until(lambda: acknowledged(here, spoken), "it is acknowledged")
    notice = kept(here, spoken)
    assert (notice.tries, notice.possible_duplicate) == (1, False)
    assert len(await copies(here, spoken)) == 1
    for reference in (silent, spoken):
        assert len(told(here, reference, "step.retried")) == 1
        assert channels(here, reference) == {"email"}


async def test_a_worker_asked_to_stop_finishes_the_letter_under_way(here: Town) -> None:
    await here.fault("delay", seconds=3, count=1)
    reference = await write(here, somebody())
    await until(lambda: tries(here, reference) == 1, "its letter is under way")
    assert not acknowledged(here, reference)
    assert await here.stop("worker") == 0
    assert acknowledged(here, reference)
    await here.up("worker")
    assert (await note(here, reference, "after-the-stop")).status_code == 200
    await until(lambda: told(here, reference, "case.noted"), "it goes on")
    assert tries(here, reference) == len(await copies(here, reference)) == 1
    assert not told(here, reference, "step.retried")


async def only_recorded_copies(here: Town, reference: str) -> None:
    """Every copy bears the letter's one Message-ID, and a second one is recorded as a possible duplicate."""
    notice = kept(here, reference)
    found = await copies(here, reference)
    assert {copy["message_id"] for copy in found} == {f"<{notice.message_id}>"}
    assert len(found) == 1 or notice.possible_duplicate
    assert len(found) <= notice.tries
