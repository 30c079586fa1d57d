"""A letter that cannot leave holds up nothing else: neither the records nor the other letters of its case."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from channels.letter import Accepted, OutboundLetter
from channels.port import Parts
from models.errors import OperatorError, RecipientError
from models.inquiry import Actor, Flag, Role
from models.ledger import verify
from models.letters import LetterKind, LetterState
from starter.commands.rehearsal import rehearsal
from tests.cases import SUPERVISOR
from tests.lives import Life, ring, stationery, until

COMPLIANCE = Actor(id="compliance-1", role=Role.COMPLIANCE)
REVOKED = OperatorError("answered 401")


class Jammed:
    """A way out that refuses some kinds of letters, until it is mended."""

    def __init__(self, life: Life) -> None:
        self.kinds: tuple[str, ...] = ()
        self.faults: list[Exception] = []
        self.tries, self._send = 0, life.postbox.send

    def send(self, letter: OutboundLetter, parts: Parts) -> Accepted:
        if letter.kind in self.kinds:
            self.tries += 1
            raise self.faults.pop(0) if self.faults else REVOKED
        return self._send(letter, parts)


@pytest.fixture
async def life(tmp_path: Path, records_url: str) -> AsyncIterator[Life]:
    paper, known = stationery(), {"email": "authority@example.org"}
    authority = paper.policy.authority.model_copy(update=known)
    paper = replace(paper, policy=paper.policy.model_copy(update={"authority": authority}))
    async with rehearsal(tmp_path, records_url, paper, ring(), slowly=timedelta(hours=12)) as house:
        yield Life(house.env, house.client, house.database, house.postbox, house.clock)


@pytest.fixture
def jammed(life: Life, monkeypatch: pytest.MonkeyPatch) -> Jammed:
    door = Jammed(life)
    monkeypatch.setattr(life.postbox, "send", door.send)
    return door


async def sent(life: Life, *kinds: str) -> None:
    """Wait until these have left since the case was opened, in this order."""

    async def all_of_them() -> bool:
        return life.postbox.kinds == list(kinds)

    await until(all_of_them)


@pytest.mark.rule("M3.11")
async def test_the_records_follow_a_case_whose_letter_is_stuck(life: Life, jammed: Jammed) -> None:
    jammed.kinds = ("acknowledgement", "acknowledgement_late", "missed")
    handle = await life.open()
    await life.quiet(handle)
    await life.command(handle, "assign", owner="agent-2", reasons="x")
    await life.command(handle, "compartment", COMPLIANCE, people=["compliance-1"], reasons="Reported.")
    saved = await life.quiet(handle)
    assert (saved.owner, saved.compartment) == ("agent-2", ("compliance-1",))
    assert jammed.tries == 1, "all that without a pause"
    for _ in range(6):
        await life.skip(days=10)
        saved = await life.quiet(handle)
    assert all(one.missed_at for one in saved.obligations[:2])
    assert life.postbox.kinds == []
    history = await handle.fetch_history()
    assert jammed.tries > 100
    calls = [event.activity_task_scheduled_event_attributes.activity_type.name for event in history.events]
    assert (calls.count("deliver"), calls.count("insist")) == (2, 2), "a try costs no event"
    assert len(history.events) < 400, "what 60 days of warnings and alerts cost"
    jammed.kinds = ()
    await life.skip(days=1)
    await sent(life, "acknowledgement_late", "missed")
    saved = await life.quiet(handle)
    assert saved.waiting() == []
    events = life.events(handle)
    assert verify(events, salt=saved.salt) == saved.head
    assert max(event.data["attempts"] for event in events if event.type == "step.retried") > 50


@pytest.mark.rule("M3.10")
async def test_a_stuck_letter_holds_back_only_what_goes_to_its_address(life: Life, jammed: Jammed) -> None:
    jammed.kinds = ("reply",)
    handle = await life.open()
    await life.quiet(handle)
    await life.command(handle, "appeal", SUPERVISOR, text="The authority notified.", by="authority", file_number="DC-1")
    await life.quiet(handle)
    await life.command(handle, "reply", draft=life.draft(handle))
    await life.command(handle, "reply", draft=life.draft(handle), to="authority")
    await life.quiet(handle)
    await sent(life, "acknowledgement", "review_noted", "authority_reply")
    await life.command(handle, "reply", draft=life.draft(handle))
    await life.quiet(handle)
    assert "reply" not in life.postbox.kinds
    jammed.kinds = ()
    await life.skip(hours=13)
    await sent(life, "acknowledgement", "review_noted", "authority_reply", "reply", "reply")
    saved = await life.quiet(handle)
    replies = [one for one in saved.letters if one.kind is LetterKind.REPLY]
    assert [one.state for one in replies] == [LetterState.ACCEPTED] * 2
    order = [one.data["key"] for one in life.events(handle) if one.type == "letter.accepted"]
    assert order[-2:] == [one.key for one in replies]
    (story,) = [one for one in life.events(handle) if one.type == "step.retried" and one.data["step"] == "deliver"]
    assert story.data["attempts"] == jammed.tries + 1


async def test_a_letter_that_is_not_owed_any_more_is_tried_no_more(life: Life, jammed: Jammed) -> None:
    jammed.kinds = ("reply",)
    handle = await life.open()
    await life.quiet(handle)
    await life.command(handle, "reply", draft=life.draft(handle))
    await life.skip(hours=13)
    await life.command(handle, "withdraw", reasons="never mind", message="ms_1")
    await life.quiet(handle)
    jammed.kinds = ()
    await life.skip(hours=13)
    await life.quiet(handle)
    assert "reply" not in life.postbox.kinds


async def test_a_letter_that_turns_out_to_have_left_frees_its_address(life: Life, jammed: Jammed) -> None:
    jammed.kinds = ("acknowledgement",)
    handle = await life.open()
    case = await life.quiet(handle)
    at = (await life.env.get_current_time()).isoformat()
    await handle.signal("notice_delivered", {"notices": [case.letters[0].key], "at": at})
    await life.quiet(handle)
    await life.command(handle, "reply", draft=life.draft(handle))
    await life.skip(hours=13)
    await sent(life, "reply")
    assert jammed.tries == 1


@pytest.mark.rule("M4.2")
async def test_an_address_that_turns_out_dead_is_given_up(life: Life, jammed: Jammed) -> None:
    jammed.kinds, jammed.faults = ("acknowledgement",), [REVOKED, REVOKED, RecipientError("no such mailbox")]
    handle = await life.open()
    await life.skip(days=2)
    saved = await life.quiet(handle)
    assert Flag.UNDELIVERED in saved.flags
    assert jammed.tries == 3


async def test_a_stuck_letter_that_fails_in_a_way_nobody_foresaw_is_tried_again(life: Life, jammed: Jammed) -> None:
    odd = ApplicationError("odd", type="Odd", non_retryable=True)
    jammed.kinds, jammed.faults = ("acknowledgement",), [REVOKED, odd]
    handle = await life.open()
    await life.quiet(handle)
    await life.skip(hours=13)
    jammed.kinds = ()
    await life.skip(hours=13)
    await sent(life, "acknowledgement")
    saved = await life.quiet(handle)
    assert saved.letters[0].duplicate, "whether the odd try left nobody knows"
