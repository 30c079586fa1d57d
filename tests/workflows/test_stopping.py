"""A worker that stops: what it has begun it finishes, and writes down."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event

from temporalio import activity

from channels.letter import Accepted, OutboundLetter
from channels.port import Parts
from models.inquiry import EMAIL
from records import notices
from records.database import Database
from starter.commands.rehearsal import Postbox, rehearsal
from tests.lives import Life, ring, stationery, until


@dataclass
class Slow(Postbox):
    """A channel that takes the letter and answers only once the worker has asked it to stop."""

    def __post_init__(self) -> None:
        self.taken = Event()

    def send(self, letter: OutboundLetter, parts: Parts) -> Accepted:
        accepted = super().send(letter, parts)
        self.taken.set()
        activity.wait_for_cancelled_sync(timedelta(seconds=20))
        return accepted


async def test_a_letter_that_a_channel_took_is_recorded_by_a_worker_that_stops(
    tmp_path: Path, records_url: str
) -> None:
    slow: list[Slow] = []

    def mailbox(_database: Database, clock: object) -> Slow:
        slow.append(Slow(clock))  # type: ignore[arg-type]
        return slow[0]

    async with rehearsal(tmp_path, records_url, stationery(), ring(), more={EMAIL: mailbox}) as house:
        life = Life(house.env, house.client, house.database, house.postbox, house.clock)
        handle = await life.open()

        async def taken() -> bool:
            return slow[0].taken.is_set()

        await until(taken)
    database = Database(records_url)
    with database.read() as session:
        (letter,) = notices.of_case(session, handle.id.removeprefix("inquiry/"))
    database.close()
    assert (letter.state, letter.tries) == ("accepted", 1)
