"""Files that lie with a provider: fetched once, tried again with patience, given up with a reason; real records."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar

import pytest

from channels.letter import Accepted, OutboundLetter
from channels.message import RemoteFile
from channels.port import Adapter, Arrivals, Parts, Post
from models.errors import OperatorError, RecipientError, TransientError
from models.inquiry import Channel
from models.tables import RemoteFile as Row
from models.tables import StoredAttachment, StoredMessage
from records import documents, messages, remote_files
from records.documents import FolderStore
from starter.admin.inbox import inbox
from starter.admin.thread import thread
from starter.collecting.fetching import FIRST_PAUSE, LONGEST_PAUSE, PATIENCE, Fetching
from tests.databases import away
from tests.starter.mailbag import Bench, Emptied
from tests.starter.talk import said
from tests.waiting import until

CONTENT = b"%PDF-1.7 proof"


class Pigeon(Adapter):
    """A channel whose provider keeps files."""

    name: ClassVar[Channel] = "telegram"

    def __init__(self, *faults: Exception) -> None:
        self.faults, self.asked = list(faults), list[str]()
        self.before: Callable[[], object] = lambda: None

    def verify(self, post: Post, now: datetime) -> None:
        raise NotImplementedError

    def parse(self, post: Post, stored_at: datetime) -> Arrivals:
        raise NotImplementedError

    def send(self, letter: OutboundLetter, parts: Parts) -> Accepted:
        raise NotImplementedError

    def fetch(self, file: RemoteFile) -> bytes:
        self.asked.append(file.id)
        self.before()
        if self.faults:
            raise self.faults.pop(0)
        return CONTENT + file.id.encode()


@dataclass
class Desk:
    """A message with files, and the process that fetches them."""

    bench: Bench
    pigeon: Pigeon = field(default_factory=Pigeon)

    def __post_init__(self) -> None:
        self.stop = threading.Event()
        self.fetching = self.make()

    def make(self, *, channels: dict[str, Adapter] | None = None) -> Fetching:
        found = {"telegram": self.pigeon} if channels is None else channels
        return Fetching(self.bench.database, FolderStore(self.bench.folder), found, lambda: self.bench.now)

    def bring(self, *names: str, n: int = 1) -> str:
        files = tuple(RemoteFile(id=name, filename=f"{name}.pdf", content_type="application/pdf") for name in names)
        return str(self.bench.intake.receive(said(n, files=files)).reference)

    def turn(self) -> int:
        return self.fetching.turn(self.stop)

    def message(self) -> StoredMessage:
        with self.bench.database.read() as session:
            (reference,) = self.bench.references()
            return messages.of_case(session, reference)[0]

    def files(self) -> list[StoredAttachment]:
        with self.bench.database.read() as session:
            return documents.attachments(session, self.message().id)

    def waiting(self) -> list[Row]:
        with self.bench.database.read() as session:
            return [row for row, _ in remote_files.waiting(session)]


@pytest.fixture
def desk(bench: Bench) -> Desk:
    return Desk(bench)


@pytest.mark.rule("M5.5")
def test_what_an_erasure_takes_away_meanwhile_is_kept_again(desk: Desk) -> None:
    desk.bring("a")
    desk.fetching = replace(desk.fetching, files=Emptied(desk.bench.folder))
    assert desk.turn() == 1
    (file,) = desk.files()
    with FolderStore(desk.bench.folder).open(file.path) as kept:
        assert kept.read() == CONTENT + b"a"


@pytest.mark.rule("M5.5")
def test_files_are_fetched_and_kept_like_every_attachment(desk: Desk) -> None:
    reference = desk.bring("a", "b")
    assert [row.remote_id for row in desk.waiting()] == ["a", "b"]
    assert desk.turn() == 2
    assert desk.waiting() == []
    first, second = desk.files()
    assert (first.filename, first.content_type, first.size) == ("a.pdf", "application/pdf", len(CONTENT) + 1)
    with FolderStore(desk.bench.folder).open(second.path) as kept:
        assert kept.read() == CONTENT + b"b"
    with desk.bench.database.read() as session:
        (turn,) = thread(session, reference)
    assert [one.filename for one in turn.attachments] == ["a.pdf", "b.pdf"]
    assert desk.turn() == 0
    assert desk.pigeon.asked == ["a", "b"]


def test_two_processes_at_once_keep_it_once(desk: Desk) -> None:
    desk.bring("a")
    both = threading.Barrier(2)
    desk.pigeon.before = lambda: both.wait(15)
    threads = [threading.Thread(target=desk.make().turn, args=(desk.stop,)) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert desk.pigeon.asked == ["a", "a"]
    assert len(desk.files()) == 1


def test_a_provider_that_fails_is_asked_again_ever_more_slowly(desk: Desk) -> None:
    desk.bring("a")
    desk.pigeon.faults = [TransientError("answered 503") for _ in range(20)]
    pauses = []
    for _ in range(15):
        assert desk.turn() == 0
        assert desk.turn() == 0, "not before its time"
        (row,) = desk.waiting()
        assert row.not_before
        pauses.append(row.not_before - desk.bench.now)
        desk.bench.now = row.not_before
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert max(pauses) == pauses[-1] == LONGEST_PAUSE
    assert len(desk.pigeon.asked) == 15
    with desk.bench.database.read() as session:
        (view,) = inbox(session, desk.bench.now).files
    assert (view.filename, view.tries, view.why) == ("a.pdf", 15, "answered 503")
    desk.pigeon.faults.clear()
    assert desk.turn() == 1
    assert len(desk.files()) == 1


@pytest.mark.parametrize("fault", [TransientError("answered 503"), OperatorError("the token is revoked")])
def test_after_three_days_it_is_given_up_and_the_message_says_why(desk: Desk, fault: Exception) -> None:
    desk.bring("a")
    desk.pigeon.faults = [fault, fault]
    desk.bench.now += PATIENCE
    desk.turn()
    assert len(desk.waiting()) == 1
    assert desk.message().dropped == []
    desk.bench.tick(seconds=LONGEST_PAUSE.total_seconds())
    desk.turn()
    assert desk.waiting() == []
    assert desk.message().dropped == [{"what": "a.pdf", "why": str(fault)}]
    desk.bench.tick(days=9)
    assert desk.turn() == 0
    assert len(desk.pigeon.asked) == 2


def test_what_is_gone_for_good_is_given_up_at_once(desk: Desk) -> None:
    desk.bring("a", "b")
    desk.pigeon.faults = [RecipientError("the file is gone")]
    assert desk.turn() == 1
    assert desk.message().dropped == [{"what": "a.pdf", "why": "the file is gone"}]
    assert [one.filename for one in desk.files()] == ["b.pdf"]


def test_one_that_nobody_can_fetch_keeps_no_other_waiting(desk: Desk) -> None:
    desk.bring("a", "b")
    desk.pigeon.faults = [ZeroDivisionError("ana@example.org")]
    assert desk.turn() == 1
    (row,) = desk.waiting()
    assert (row.remote_id, row.last_error) == ("a", "ZeroDivisionError")


def test_more_than_one_look_takes_are_all_fetched(desk: Desk) -> None:
    desk.bring(*(f"f{n}" for n in range(45)))
    assert [desk.turn() for _ in range(4)] == [20, 20, 5, 0]


def test_those_of_a_channel_that_is_off_wait_for_it(desk: Desk) -> None:
    desk.bring("a")
    assert desk.make(channels={}).turn(desk.stop) == 0
    (row,) = desk.waiting()
    assert row.last_error == "channel telegram is switched off"
    desk.bench.tick(minutes=1)
    assert desk.turn() == 1


def test_a_repeated_message_queues_nothing_anew(desk: Desk) -> None:
    for _ in range(5):
        desk.bring("a")
    assert len(desk.waiting()) == 1


def test_it_goes_on_through_outages_and_ends_when_told(
    desk: Desk, records_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("starter.collecting.fetching.TURN", 0.01)
    reference = desk.bring("a")
    desk.bench.database.close()
    with away(records_url):
        thread = threading.Thread(target=desk.fetching.run, args=(desk.stop,))
        thread.start()
    until(lambda: desk.pigeon.asked, "the file is asked for")
    until(lambda: not desk.waiting(), "it is kept")
    desk.stop.set()
    thread.join(15)
    assert not thread.is_alive()
    assert len(desk.files()) == 1
    assert reference


def test_hostile_names_are_kept_but_for_nul_and_shown_harmless(desk: Desk) -> None:
    hostile = "../../etc/passwd\x00\x1b[31m"
    file = RemoteFile(id="a", filename=hostile, content_type="text/html")
    desk.bench.intake.receive(said(files=(file,)))
    assert desk.turn() == 1
    (kept,) = desk.files()
    assert kept.filename == hostile.replace("\0", "")
    assert kept.filename not in kept.path
