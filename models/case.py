"""One inquiry's whole state: what is owed, what was sent, what is awaited, and the chain of what happened.

A case is plain data that travels as the workflow's input, survives continue-as-new and is saved with its last event.
The modules that change it are `models.clock` (time passes), `models.post` (letters come and go) and `models.deciding`
(people decide); all of them are pure, take the time as a parameter and leave facts behind.
"""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, Self

from models.alerting import alerts_for
from models.area_work import VerifiedBy
from models.inquiry import SYSTEM, Actor, Address
from models.ledger import Event, Fact, seal
from models.letters import Letter, LetterKind, LetterState, letter_key
from models.obligations import Obligation, ObligationKind
from models.standing import Standing


class Case(Standing):
    """One inquiry: how it stands, and the few verbs that clock, post and commands change it with."""

    def __deepcopy__(self, _memo: dict[int, Any] | None = None) -> Self:
        """Copy as deep as a case can change: its lists and its keys. What they hold is frozen.

        Copying all of it takes time that grows with the case; a burst of signals would outlast the engine's patience.
        """
        twin = self.model_copy()
        for name, value in self:
            if isinstance(value, list | dict):
                setattr(twin, name, value.copy())
        return twin

    def record(
        self,
        at: datetime,
        what: str,
        *,
        actor: Actor = SYSTEM,
        rule: str = "",
        texts: dict[str, str] | None = None,
        **data: object,
    ) -> None:
        """Leave a fact behind and alert whom it concerns. Times in `data` become ISO 8601; what is None is left out."""
        plain = {k: v.isoformat() if isinstance(v, (datetime, date)) else v for k, v in data.items() if v is not None}
        fact = Fact(at=at, type=what, actor=actor, rule=rule, data=plain, texts=texts or {})
        self.pending.append(fact)
        self.alerts = [*self.alerts, *alerts_for(self, fact)]

    def owe(
        self,
        kind: ObligationKind,
        due: datetime,
        at: datetime,
        *,
        why: str,
        actor: Actor = SYSTEM,
        subject: str = "",
        starts: datetime | None = None,
        warnings: tuple[datetime, ...] = (),
    ) -> Obligation:
        """Promise something by `due` (aware UTC)."""
        new = Obligation(
            n=len(self.obligations) + 1,
            kind=kind,
            due=due,
            created_at=at,
            starts=starts or at,
            begun=starts is None,
            actor=actor,
            why=why,
            subject=subject,
            warnings=tuple(w for w in warnings if w > at),
        )
        self.obligations.append(new)
        self.record(at, "obligation.owed", actor=actor, rule=new.rule, n=new.n, kind=kind.value, due=due, why=why)
        return new

    def put(self, obligation: Obligation, **changes: object) -> Obligation:
        """Replace an obligation's state; never its due date."""
        changed = obligation.model_copy(update=changes)
        self.obligations[obligation.n - 1] = changed
        return changed

    def drop_proposal(self, at: datetime, *, why: str, actor: Actor = SYSTEM) -> None:
        """What waits for a second pair of eyes falls away, where the case's terms let it (M5.3)."""
        dropped = self.proposal
        if dropped and self.terms.proposals_lapse:
            self.proposal = None
            self.record(
                at,
                "command.lapsed",
                actor=actor,
                rule="M5.3",
                command=dropped.command,
                proposer=dropped.proposer.id,
                proposed_at=dropped.at,
                why=why,
            )

    def unverify(self, at: datetime, how: Collection[VerifiedBy] = tuple(VerifiedBy)) -> None:
        """What areas verified in these ways counts no longer: there are new facts, or the act was taken back (M5.3)."""
        self.verifications = [
            v.model_copy(update={"ended_at": at}) if v.ended_at is None and v.how in how else v
            for v in self.verifications
        ]

    def meet(self, obligation: Obligation, letter: Letter, at: datetime) -> None:
        """An accepted letter meets an obligation (reading 10)."""
        met = self.put(obligation, met_at=at, met_by=letter.key)
        what = "obligation.met" if met.kept else "obligation.met-late"
        self.record(at, what, rule=met.rule, n=met.n, kind=met.kind.value, due=met.due, letter=letter.key)

    def supersede(
        self, obligation: Obligation, at: datetime, *, why: str, actor: Actor = SYSTEM, by: int | None = None
    ) -> None:
        """An obligation falls away, or another stands in its place and letters on their way meet that one instead."""
        self.put(obligation, superseded_at=at, superseded_by=by, superseded_why=why)
        self.record(
            at,
            "obligation.superseded",
            actor=actor,
            rule=obligation.rule,
            n=obligation.n,
            by=by,
            why=why,
            due=obligation.due,
        )
        if by is None:
            return
        for letter in self.waiting():
            if obligation.n in letter.meets:
                meets = tuple(by if n == obligation.n else n for n in letter.meets)
                self.post(letter, meets=meets, due=min(self.obligations[n - 1].due for n in meets))

    def write(
        self,
        kind: LetterKind,
        at: datetime,
        *,
        meets: tuple[int, ...] = (),
        tells: datetime | None = None,
        facts: dict[str, str] | None = None,
        texts: dict[str, str] | None = None,
        draft: str = "",
        to: Address | None = None,
        replaces: Letter | None = None,
        not_before: datetime | None = None,
        actor: Actor = SYSTEM,
    ) -> Letter:
        """Owe a letter; a copy goes to the registered e-mail where reading 7 wants one.

        One that `replaces` another is the same letter at another address: whoever gets copies has one already.
        """
        n = 1 + sum(1 for one in self.letters if one.kind is kind and not one.copy_of)
        due = min((o.due for o in self.obligations if o.n in meets), default=None)
        letter = Letter(
            key=letter_key(self.reference, kind, n),
            kind=kind,
            address=to or self.address(),
            created_at=at,
            meets=meets,
            tells=tells,
            facts=facts or {},
            texts=texts or {},
            draft=draft,
            not_before=not_before,
            due=due,
            replaces=replaces.key if replaces else "",
        )
        self.letters.append(letter)
        self.record(at, "letter.owed", actor=actor, key=letter.key, kind=kind.value, due=due, draft=draft or None)
        registered = next((a for a in self.addresses if a.registered and a.id not in self.dead), None)
        wanted = to is None and replaces is None and kind in self.terms.copied
        if wanted and registered and registered != letter.address:
            self.copy_letter(letter, f"{letter.key}/copy", registered)
        return letter

    def copy_letter(self, letter: Letter, key: str, address: Address) -> None:
        """Owe the same letter at another address too; it meets nothing."""
        told = {"meets": (), "tells": None, "due": None}
        self.letters.append(letter.model_copy(update={"key": key, "address": address, "copy_of": letter.key, **told}))

    def post(self, letter: Letter, **changes: object) -> Letter:
        """Replace a letter's state."""
        changed = letter.model_copy(update=changes)
        self.letters[next(i for i, one in enumerate(self.letters) if one.key == letter.key)] = changed
        return changed

    def void(self, letter: Letter, at: datetime, *, why: str, copies: bool = True) -> None:
        """A letter that has not left will not leave, nor will its copies, unless they stay (`hand_copies`)."""
        for one in self.waiting():
            if one.key == letter.key or (copies and one.copy_of == letter.key):
                self.post(one, state=LetterState.VOID)
                self.record(at, "letter.void", key=one.key, why=why)

    def hand_copies(self, letter: Letter, to: Letter, at: datetime) -> None:
        """The copies of a letter become those of the one that leaves in its place, but for one at the same address."""
        for one in self.waiting():
            if one.copy_of == letter.key and one.address == to.address:
                self.void(one, at, why="the letter itself goes there")
            elif one.copy_of == letter.key:
                self.post(one, copy_of=to.key)

    def tell(self, letter: Letter, date: datetime, at: datetime) -> None:
        """Keep the date of the answer that the user has in writing (reading 4)."""
        if self.told != date:
            self.told = date
            self.record(at, "date.told", rule="M3.11", letter=letter.key, date=date)

    def seal(self, count: int | None = None) -> list[Event]:
        """Move the first `count` pending facts (all by default) into the chain and return them as events."""
        facts, self.pending = self.pending[:count], self.pending[count:] if count is not None else []
        events = []
        for fact in facts:
            event = seal(fact, reference=self.reference, seq=self.seq + 1, previous=self.head, salt=self.salt)
            self.seq, self.head = event.seq, event.hash
            events.append(event)
        return events
