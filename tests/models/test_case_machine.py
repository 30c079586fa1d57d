"""Random lives: legal and illegal commands, time that jumps, letters that are accepted, fail or bounce."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from models.area_work import IncidentState
from models.case import Case
from models.clock import wake
from models.commands import read
from models.deciding import decide
from models.errors import Refused
from models.extensions import ABOUT_DATES
from models.incidents import tracked
from models.inquiry import AUTHORITY, EMAIL, Actor, Address, Outcome, Role, public_address
from models.ledger import Event, Fact, verify
from models.letters import LetterKind, LetterState
from models.obligations import TERMS, ObligationKind
from models.post import Acceptance, accept, fail
from models.work import Told, Written, absorb
from tests.cases import AGENT, CX_LEAD, FULL, MONDAY, OTHER, SUPERVISOR, new_case

ACTORS = st.sampled_from([AGENT, CX_LEAD, OTHER, SUPERVISOR])
SECURITY = Actor(id="security-lead", role=Role.REPRESENTATIVE)
DAYS = st.integers(-3, 90)
MINUTE = timedelta(minutes=1)


def as_fact(event: Event) -> Fact:
    return Fact(at=event.at, type=event.type, actor=event.actor, rule=event.rule, data=event.data, texts=event.texts)


class Life(RuleBasedStateMachine):
    """One case, whatever happens to it."""

    def __init__(self) -> None:
        super().__init__()
        second = Address(id="ad_second", channel=EMAIL, registered=True)
        telegram = Address(id="ad_telegram", channel="telegram")
        self.case = new_case(addresses=(new_case().addresses[0], second, telegram), in_public=True)
        self.case.visits = {"chat": MONDAY}
        self.now = MONDAY
        self.events: list[Event] = []
        self.told: list[datetime] = []

    def command(self, name: str, payload: dict[str, Any], actor: Actor, *, signal: bool = False) -> None:
        before, given = self.case.model_copy(deep=True), self.case
        try:
            order = read(name, {**payload, "actor": actor.model_dump(mode="json")})
            after = decide(self.case, name, order, self.now, trusted=True, signal=signal)
        except Refused:
            assert given == before, "a refused command changed the case"
            return
        assert given == before, "deciding changed the case it was given"
        self.case = after

    @property
    def story(self) -> list[Event | Fact]:
        """Everything that happened, sealed or not."""
        return [*self.events, *self.case.pending]

    def later(self, days: int) -> str:
        return (self.now + timedelta(days=days)).date().isoformat()

    # -- people ----------------------------------------------------------------------------------------------------

    @rule(days=DAYS, actor=ACTORS, signal=st.booleans())
    def extend(self, days: int, actor: Actor, signal: bool) -> None:  # noqa: FBT001
        self.command("extend", {"until": self.later(days), "reasons": "complex"}, actor, signal=signal)

    @rule(days=DAYS, until=st.none() | DAYS, actor=ACTORS)
    def escalate(self, days: int, until: int | None, actor: Actor) -> None:
        more = {} if until is None else {"until": self.later(until)}
        order = {"institution": "a bank", "reasons": "asked", "estimate": self.later(days), **more}
        self.command("escalate", order, actor)

    @rule(days=DAYS, until=st.none() | DAYS)
    def re_estimate(self, days: int, until: int | None) -> None:
        more = {} if until is None else {"until": self.later(until)}
        self.command("re_estimate", {"estimate": self.later(days), "reasons": "slow", **more}, AGENT)

    @rule()
    def institution_answered(self) -> None:
        self.command("institution_answered", {"summary": "paid"}, AGENT)

    @rule(outcome=st.sampled_from(Outcome), actor=ACTORS, signal=st.booleans())
    def resolve(self, outcome: Outcome, actor: Actor, signal: bool) -> None:  # noqa: FBT001
        self.command("resolve", {"outcome": outcome, "draft": FULL}, actor, signal=signal)

    @rule(actor=ACTORS)
    def propose(self, actor: Actor) -> None:
        order = {"outcome": "unfounded", "draft": FULL}
        self.command("propose", {"command": "resolve", "order": order}, actor)

    @rule(actor=ACTORS, name=st.sampled_from(["approve", "send_back"]))
    def second_pair(self, actor: Actor, name: str) -> None:
        self.command(name, {"reasons": "no"} if name == "send_back" else {}, actor)

    @rule(area=st.sampled_from(["security", "finance", "nobody"]))
    def refer(self, area: str) -> None:
        self.command("refer", {"area": area, "question": "is it so?"}, AGENT)

    @rule(area=st.sampled_from(["security", "finance", "nobody"]), actor=st.sampled_from([AGENT, SECURITY]))
    def answer_referral(self, area: str, actor: Actor) -> None:
        self.command("answer_referral", {"area": area, "findings": "it is"}, actor)

    @rule(area=st.sampled_from(["security", "finance", "nobody"]), actor=ACTORS)
    def withdraw_referral(self, area: str, actor: Actor) -> None:
        self.command("withdraw_referral", {"area": area, "reasons": "not needed"}, actor)

    @rule(area=st.sampled_from(["security", "nobody"]), actor=st.sampled_from([AGENT, SECURITY]))
    def verify(self, area: str, actor: Actor) -> None:
        self.command("verify", {"area": area, "findings": "it is so"}, actor)

    @invariant()
    def no_final_leaves_unverified_or_while_an_area_is_asked(self) -> None:
        """M5.3: an area that speaks for itself has verified it since the case was last reopened."""
        if self.case.final:
            assert not self.case.referred
            assert any(f"{one.area}-" in one.actor.id for one in self.case.verified)

    @invariant()
    def an_area_is_never_given_longer_than_the_final_answer(self) -> None:
        """What an area owes inside the house ends no later than what waits for it, once time has looked at it."""
        wake(self.case, self.now)
        running = self.case.final_term
        for one in self.case.referrals:
            if one.open and one.due and not one.passed_at and running and running.due > self.now:
                assert one.due <= running.due

    @rule(area=st.sampled_from(["security", "nobody"]))
    def open_incident(self, area: str) -> None:
        self.command("open_incident", {"area": area, "matter": "access", "draft": FULL}, AGENT)

    @rule(incident=st.integers(1, 3), outcome=st.sampled_from(["resolved", "rejected"]))
    def close_incident(self, incident: int, outcome: str) -> None:
        self.command("close_incident", {"incident": incident, "outcome": outcome, "evidence": "it is so"}, SUPERVISOR)

    @rule(incident=st.integers(1, 3), state=st.sampled_from(IncidentState), days=DAYS)
    def incident_changed(self, incident: int, state: IncidentState, days: int) -> None:
        at = (self.now + timedelta(days=days)).isoformat()
        self.command("incident_changed", {"incident": incident, "state": state, "at": at}, AGENT, signal=True)

    @rule()
    def tell_tracker(self) -> None:
        for incident in self.case.untold:
            told = Told(n=incident.n, at=self.now, tracker="builtin", id=f"i{incident.n}", over=incident.over)
            tracked(self.case, told, self.now)
        assert not self.case.untold

    @invariant()
    def every_incident_stands_in_the_ledger(self) -> None:
        opened = [fact.data["incident"] for fact in self.story if fact.type == "incident.opened"]
        assert opened == [incident.n for incident in self.case.incidents]

    @rule(by=st.sampled_from(["user", "authority"]), days=st.none() | DAYS)
    def appeal(self, by: str, days: int | None) -> None:
        more = {} if days is None else {"answer_by": self.later(days)}
        self.command("appeal", {"text": "I disagree", "by": by, **more}, AGENT)

    @rule(result=st.sampled_from(["upheld", "overturned", "settled"]))
    def appeal_decided(self, result: str) -> None:
        self.command("appeal_decided", {"result": result, "text": "so it is"}, AGENT)

    @rule(name=st.sampled_from(["reply", "note", "request_information", "assign", "reclassify", "withdraw", "split"]))
    def small(self, name: str) -> None:
        payload: dict[str, dict[str, Any]] = {
            "reply": {"draft": FULL, "to": "user"},
            "note": {"text": "seen"},
            "request_information": {"draft": FULL, "by": self.later(5)},
            "assign": {"owner": "agent-9", "reasons": "load", "area": "finance"},
            "reclassify": {"kind": "inquiry", "reasons": "a question", "draft": FULL},
            "withdraw": {"reasons": "never mind", "message": "ms_1"},
            "split": {"other": "RX-2222-2222", "points": ["fees"]},
        }
        self.command(name, payload[name], SUPERVISOR)

    @rule(actor=ACTORS)
    def reply_to_authority(self, actor: Actor) -> None:
        self.command("reply", {"draft": FULL, "to": "authority"}, actor)

    @rule(
        leads=st.booleans(),
        days=st.integers(-30, 30),
        contact=st.sampled_from(["ct_1", "ct_2"]),
        way=st.none() | st.integers(0, 3),
    )
    def merge(self, leads: bool, days: int, contact: str, way: int | None) -> None:  # noqa: FBT001
        due = (self.now + timedelta(days=days)).isoformat()
        order = {"other": "RX-3333-3333", "leads": leads, "contact": contact, "received_at": MONDAY.isoformat()}
        ways = None if way is None else [self.known[way].model_dump()]
        self.command("merge", {**order, "final_due": due, "ways_in": ways}, AGENT)

    @rule()
    def reopen(self) -> None:
        self.command("reopen", {"reasons": "new facts"}, AGENT)

    @rule(channel=st.sampled_from(["telegram", "email", "x"]))
    def change_channel(self, channel: str) -> None:
        self.command("change_channel", {"channel": channel, "reasons": "asked for"}, AGENT)

    @rule()
    def attempts_exhausted(self) -> None:
        self.command("attempts_exhausted", {"reasons": "all tried"}, SUPERVISOR)

    @rule(which=st.none() | st.integers(0, 3), unreadable=st.booleans(), reopens=st.booleans())
    def message(self, which: int | None, unreadable: bool, reopens: bool) -> None:  # noqa: FBT001
        """The user writes, from an address we know or from a new one."""
        addresses = [] if which is None else [self.known[which].model_dump()]
        order = {"message": "ms_2", "at": self.now.isoformat(), "addresses": addresses}
        self.command("receive_message", {**order, "unreadable": unreadable, "reopens": reopens}, AGENT)

    @property
    def known(self) -> list[Address]:
        """Where the person can be found: what the case knows, and one address more."""
        return [*self.case.addresses, Address(id="ad_new", channel="x")]

    @rule(which=st.integers(0, 3), name=st.sampled_from(["address_closed", "address_open"]))
    def shut_or_opened(self, which: int, name: str) -> None:
        self.command(name, {"address": self.known[which].id}, AGENT, signal=True)

    @rule(which=st.integers(0, 3), bound=st.booleans())
    def known_now(self, which: int, bound: bool) -> None:  # noqa: FBT001
        addresses = [self.known[which].model_dump()]
        self.command("identity_bound", {"contact": "ct_1", "addresses": addresses, "bound": bound}, AGENT, signal=True)

    @rule(n=st.integers(1, 3), minutes=st.integers(-30, 30))
    def visits(self, n: int, minutes: int) -> None:
        """A session of the person's on a channel where each has an address of its own."""
        visit = {"address": {"id": f"ad_c{n}", "channel": "chat"}, "at": (self.now + n * minutes * MINUTE).isoformat()}
        order = {"contact": "ct_1", "addresses": [], "bound": False, "visit": visit}
        self.command("identity_bound", order, AGENT, signal=True)

    @invariant()
    def of_all_visits_one_counts(self) -> None:
        """M4.2."""
        assert sum(one.channel == "chat" for one in self.case.addresses) <= 1

    # -- the world -------------------------------------------------------------------------------------------------

    @rule(hours=st.sampled_from([1, 13, 26, 80, 200, 600]))
    def time_passes(self, hours: int) -> None:
        """Time goes from alarm to alarm, as the workflow's timers do."""
        end = min(self.now + timedelta(hours=hours), MONDAY + timedelta(days=500))
        while (alarm := self.case.next_alarm()) and alarm <= end:
            self.now = max(alarm, self.now)
            before = self.case.model_copy(deep=True)
            wake(self.case, self.now)
            assert self.case != before, "an alarm changed nothing: the loop would spin"
        self.now = max(self.now, end)
        wake(self.case, self.now)

    @rule()
    def wake_is_idempotent(self) -> None:
        wake(self.case, self.now)
        before = self.case.model_copy(deep=True)
        wake(self.case, self.now)
        assert self.case == before

    @precondition(lambda self: self.case.outbox(self.now))
    @rule(duplicate=st.booleans())
    def accepted(self, duplicate: bool) -> None:  # noqa: FBT001
        letter = self.case.outbox(self.now)
        assert letter
        accept(self.case, Acceptance(key=letter.key, at=self.now, duplicate=duplicate))
        assert self.case.outbox(self.now) != letter

    @precondition(lambda self: self.case.outbox(self.now))
    @rule()
    def refused_for_good(self) -> None:
        letter = self.case.outbox(self.now)
        assert letter
        fail(self.case, letter.key, self.now, "no such mailbox")

    @rule(which=st.integers(0, 50), hard=st.booleans(), hours=st.sampled_from([0, 0, 5, 100]))
    def bounced(self, which: int, hard: bool, hours: int) -> None:  # noqa: FBT001
        """A letter comes back, sometimes known late, sometimes one whose acceptance nobody had heard of."""
        one = self.case.letters[-1 - which % len(self.case.letters)]
        at = self.now - timedelta(hours=hours)
        order = {"notice": one.key, "hard": hard, "reason": "550", "at": at.isoformat()}
        self.command("notice_bounced", order, AGENT, signal=True)

    @rule(which=st.integers(0, 50), hours=st.sampled_from([0, 5, 100]))
    def delivered(self, which: int, hours: int) -> None:
        one = self.case.letters[-1 - which % len(self.case.letters)]
        order = {"notices": [one.key], "at": (self.now - timedelta(hours=hours)).isoformat()}
        self.command("notice_delivered", order, AGENT, signal=True)

    @precondition(lambda self: self.case.outbox(self.now))
    @rule(hours=st.sampled_from([0, 5, 100]), name=st.sampled_from(["withdraw", "extend", "change_channel", "refer"]))
    def accepted_while_the_case_moves_on(self, hours: int, name: str) -> None:
        """A command is decided while a letter is in flight; the activity writes what it saw."""
        letter = self.case.outbox(self.now)
        assert letter
        sent = self.case.model_copy(deep=True)
        flown = len(sent.pending)
        acceptance = Acceptance(key=letter.key, at=max(letter.created_at, self.now - timedelta(hours=hours)))
        accept(sent, acceptance)
        written = sent.seal()
        self.events += written
        orders: dict[str, dict[str, Any]] = {
            "withdraw": {"reasons": "never mind", "message": "ms_1"},
            "extend": {"until": self.later(40), "reasons": "complex"},
            "change_channel": {"channel": "telegram", "reasons": "asked for"},
            "refer": {"area": "security", "question": "is it so?"},
        }
        self.command(name, orders[name], AGENT)
        wake(self.case, self.now)
        facts = tuple(as_fact(event) for event in written[flown:])
        absorb(self.case, Written(flown=flown, facts=facts, seq=sent.seq, head=sent.head, acceptance=acceptance))

    @rule()
    def carried_over(self) -> None:
        """Continue-as-new and resume: the case owes what it owed."""
        again = Case.model_validate_json(self.case.model_dump_json())
        assert again == self.case
        assert [o.n for o in again.owed()] == [o.n for o in self.case.owed()]
        assert again.next_alarm() == self.case.next_alarm()
        self.case = again

    @rule()
    def written_down(self) -> None:
        self.events += self.case.seal()

    def teardown(self) -> None:
        self.written_down()
        assert verify(self.events, salt=self.case.salt) == self.case.head

    # -- always ----------------------------------------------------------------------------------------------------

    @invariant()
    def no_term_ends_in_silence(self) -> None:
        """A term that ended is met, or superseded, or a missed-term notice stands beside it (M3.11)."""
        for term in self.case.obligations:
            if term.kind not in TERMS or not term.open or term.due >= self.now - MINUTE:
                continue
            wake(self.case, self.now)
            about = [o for o in self.case.obligations if o.kind is ObligationKind.MISSED and o.subject == str(term.n)]
            assert about, f"{term.kind} ended at {term.due} and nobody is told"

    @invariant()
    def told_dates_move_only_by_letter(self) -> None:
        accepted = {one.key for one in self.case.letters if one.accepted_at}
        for fact in self.story:
            if fact.type == "date.told":
                assert fact.data["letter"] in accepted

    @invariant()
    def due_dates_are_never_overwritten(self) -> None:
        """The chain's last word on each obligation is the case's."""
        owed: dict[int, str] = {}
        for fact in self.story:
            if fact.type == "obligation.owed":
                owed[fact.data["n"]] = fact.data["due"]
            for said in fact.data.get("undone", ()):
                what, _, n = said.partition(" ")
                if what == "obligation.owed":
                    del owed[int(n)]
        assert owed == {o.n: o.due.isoformat() for o in self.case.obligations}
        met = {f.data["n"] for f in self.story if f.type.startswith("obligation.met")}
        assert met >= {o.n for o in self.case.obligations if o.met_at}

    @invariant()
    def what_is_owed_can_still_be_met(self) -> None:
        """Every open obligation has a letter on its way, or waits for people who can act, or for its start."""
        case = self.case
        carried = {n for one in case.waiting() for n in one.meets}
        by_people = {
            ObligationKind.FINAL: case.final is None,
            ObligationKind.EXTERNAL: case.escalated is not None,
            ObligationKind.AUTHORITY_REPLY: True,
        }
        for obligation in case.owed():
            assert obligation.n in carried or by_people.get(obligation.kind) or not obligation.begun, obligation

    @invariant()
    def nothing_is_promised_twice(self) -> None:
        case = self.case
        assert len(case.owed(ObligationKind.FINAL)) <= 1
        assert len({o.subject for o in case.owed(ObligationKind.MISSED)}) == len(case.owed(ObligationKind.MISSED))
        told = [o for o in case.owed(ObligationKind.EXTERNAL) if o.subject]
        assert len(told) <= 1
        keys = [one.key for one in case.letters]
        assert len(keys) == len(set(keys))
        assert sum(1 for e in case.extensions if e.effective_at is None and e.void_at is None) <= 1

    @invariant()
    def what_waits_can_leave_or_is_flagged(self) -> None:
        """No letter waits at a dead address or goes to the wrong person; one without address has nowhere to go."""
        for one in self.case.waiting():
            posted = one.kind is LetterKind.INVITATION
            assert posted == (one.address == public_address(self.case.channel)), one
            if posted:
                continue
            ours = one.kind is LetterKind.AUTHORITY_REPLY
            assert ours == (one.address == AUTHORITY) or (ours and one.address is None), one
            assert one.address is None or one.address.id not in self.case.dead, one
            assert one.address or self.case.address() is None or ours, one

    @invariant()
    def letters_go_where_the_user_was_told(self) -> None:
        """No letter leaves over a channel that no word went ahead of (M4.2)."""
        case, target = self.case, self.case.address()
        assert case.closed_at or target is None or target.channel == case.channel_now
        assert sum(1 for one in case.letters if one.kind is LetterKind.INVITATION) == 1

    @invariant()
    def the_told_date_is_owed_no_later(self) -> None:
        """While an answer is owed, what we owe inside is never later than what the user was told outside."""
        running = self.case.final_term
        told: list[str] = []
        for fact in self.story:
            if fact.type == "date.told":
                told.append(fact.data["date"])
            elif fact.type == "acceptance.revised" and "date.told" in fact.data["undone"]:
                told.pop()
        assert told[-1:] == ([self.case.told.isoformat()] if self.case.told else [])
        if running and self.case.told and not any(e.told_late for e in self.case.extensions):
            reopened = any(f.type == "case.reopened" for f in self.story)
            assert reopened or running.due <= self.case.told, "the date owed moved later without a word"

    @invariant()
    def nothing_announces_what_does_not_hold(self) -> None:
        """A letter that tells of an extension waits only while the extension may still take effect, or already has."""
        alive = {e.letter for e in self.case.extensions if not e.void_at}
        for one in self.case.waiting():
            if one.kind in ABOUT_DATES and "new" in one.facts and not one.copy_of:
                assert one.key in alive, one
            if one.copy_of:
                original = self.case.letter(one.copy_of)
                assert original
                assert original.state is not LetterState.VOID, one

    @invariant()
    def closed_owes_nothing(self) -> None:
        if self.case.closed_at:
            assert not self.case.owed()
            assert self.case.next_alarm() is None

    @invariant()
    def extensions_need_their_letter(self) -> None:
        for extension in self.case.extensions:
            if extension.effective_at and not extension.void_at:
                letter = self.case.letter(extension.letter)
                assert letter
                assert extension.told_late or (letter.accepted_at and letter.accepted_at <= extension.replaces)
                assert letter.kind in {LetterKind.EXTENSION, LetterKind.EXTERNAL, LetterKind.RE_ESTIMATE}


TestLife = pytest.mark.rule("M3.11")(pytest.mark.rule("M5.3")(Life.TestCase))
TestLife.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_an_auditor_decides_nothing() -> None:
    case = new_case()
    order = read("note", {"text": "x", "actor": {"id": "a", "role": Role.AUDITOR}})
    with pytest.raises(Refused, match="the role auditor decides nothing"):
        decide(case, "note", order, MONDAY, trusted=True)
