"""What waits and what was said, as the admin API shows it."""

from datetime import timedelta
from typing import Any

import pytest

from channels.message import Disposition, RemoteFile
from models.inquiry import EMAIL, Role
from records import cases, dispatches, feeds, notices, streams
from tests.api.test_refusals import is_problem
from tests.api.world import World
from tests.starter.mailbag import message
from tests.starter.talk import edit, said


async def shown(front: World, path: str, role: Role = Role.AGENT) -> Any:
    answer = await front.get(path, role)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_inbox_shows_what_waits_and_why(front: World) -> None:
    assert await shown(front, "/api/inbox") == {
        "alarms": [],
        "waiting": [],
        "quarantine": [],
        "files": [],
        "feeds": [],
        "gaps": [],
    }
    now = front.desk.clock()
    file = RemoteFile(id="f", filename="f.jpg", content_type="image/jpeg")
    front.desk.intake.receive(said(1, files=(file,), received_at=now))
    front.desk.intake.receive(said(2, sender="2002", disposition=Disposition.AUTO_REPLY, received_at=now))
    with front.desk.database.write() as session:
        row = dispatches.add(session, "RX-7KQ4-M2PD", "receive_message", {}, now, not_before=now + timedelta(hours=1))
        for _ in range(5):
            dispatches.retry(session, row.number, "INVALID_ARGUMENT", now + timedelta(hours=1), refused=True)
        feeds.hold(session, "imap", EMAIL, "here", now=now, lease=timedelta(minutes=1))
        feeds.failed(session, "imap", "the password is refused", now)
        streams.add(session, [("telegram:1", 1), ("telegram:1", 3)], now)
    view = await shown(front, "/api/inbox", Role.AUDITOR)
    (dead,) = [one for one in view["waiting"] if one["dead"]]
    assert (dead["reference"], dead["tries"], dead["why"]) == ("RX-7KQ4-M2PD", 5, "INVALID_ARGUMENT")
    assert [one["filename"] for one in view["files"]] == ["f.jpg"]
    assert [one["disposition"] for one in view["quarantine"]] == ["auto_reply"]
    assert [(one["name"], one["why"]) for one in view["feeds"]] == [("imap", "the password is refused")]
    assert view["gaps"] == [{"stream": "telegram:1", "first": 2, "last": 2}]
    assert len(view["alarms"]) == 3


async def test_the_inbox_shows_no_file_of_an_inquiry_that_is_hidden(front: World) -> None:
    file = RemoteFile(id="f", filename="pasaporte.jpg", content_type="image/jpeg")
    reference = front.desk.intake.receive(said(1, files=(file,), received_at=front.desk.clock())).reference
    with front.desk.database.write() as session:
        case = cases.load(session, str(reference))
        case.compartment, case.version = ("compliance-1",), case.version + 1
        cases.project(session, case)
    assert (await shown(front, "/api/inbox"))["files"] == []
    assert len((await shown(front, "/api/inbox", Role.COMPLIANCE))["files"]) == 1


@pytest.mark.rule("M5.5")
async def test_the_conversation_tells_where_every_turn_came_from_and_how_far_it_got(world: World) -> None:
    now = world.desk.clock()
    minutes = iter(now - timedelta(minutes=n) for n in (9, 8, 7))
    intake = world.desk.intake
    posts = (
        message(1, received_at=next(minutes)),
        message(2, in_reply_to="m1@mail.example.org", received_at=next(minutes), sender_verified=False, spf="pass"),
    )
    references = {intake.receive(post).reference for post in posts}
    reference = str(references.pop())
    assert not references
    await world.settled(reference, lambda view: view["state"]["status"] == "open")
    turns = (await shown(world, f"/api/inquiries/{reference}/thread"))["items"]
    assert [(one["direction"], one["channel"], one["state"]) for one in turns] == [
        ("in", EMAIL, "received"),
        ("in", EMAIL, "received"),
        ("out", EMAIL, "accepted"),
    ]
    assert [one["provider_id"] for one in turns] == ["m1@mail.example.org", "m2@mail.example.org", "p1"]
    assert [one["sender_verified"] for one in turns[:2]] == [True, False]
    assert turns[0]["at"] == posts[0].received_at.isoformat().replace("+00:00", "Z")
    assert turns[2]["key"] == f"{reference}/acknowledgement/1"
    with world.desk.database.read() as session:
        letter = notices.find(session, turns[2]["key"])
    assert letter
    assert turns[2]["text"] == letter.text


async def test_edits_and_pictures_name_what_they_belong_to(front: World) -> None:
    file = RemoteFile(id="f", filename="f.jpg", content_type="image/jpeg")
    intake = front.desk.intake
    reference = intake.receive(said(1, "", album="1001/al", files=(file,))).reference
    intake.receive(said(2, "Mi comprobante", album="1001/al", files=(file,)))
    intake.receive(edit(2, "Mi recibo"))
    intake.receive(said(3, "", unreadable="encrypted"))
    turns = (await shown(front, f"/api/inquiries/{reference}/thread"))["items"]
    first, second, third, fourth = turns
    assert (second["part_of"], second["edit_of"]) == (first["key"], "")
    assert (third["part_of"], third["edit_of"]) == ("", second["key"])
    assert (fourth["unreadable"], fourth["text"]) == ("encrypted", "")
    assert {one["sender"] for one in turns} == {"1001"}


async def test_there_is_no_conversation_without_an_inquiry_or_a_key(front: World) -> None:
    is_problem(await front.get("/api/inquiries/RX-7KQ4-M2PD/thread"), 404)
    is_problem(await front.get("/api/inquiries/nonsense/thread"), 404)
    for path in ("/api/inbox", "/api/inquiries/RX-7KQ4-M2PD/thread"):
        is_problem(await front.http.get(path), 401)
