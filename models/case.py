"""One inquiry's whole state: what is owed, what was sent, what is awaited, and the chain of what happened.

A case is plain data that travels as the workflow's input, survives continue-as-new and is saved with its last event.
The modules that change it are `models.clock` (time passes), `models.post` (letters come and go) and `models.commands`
(people decide); all of them are pure, take the time as a parameter and leave facts behind.
"""

from datetime import date, datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict

from models.calendar import BusinessCalendar
from models.episodes import Answer, Appeal, Escalation, Extension, FinalAnswer, Proposal, Referral
from models.inquiry import EMAIL, SYSTEM, Actor, Address, Area, Channel, Flag, Kind, Language, Status
from models.ledger import GENESIS, Event, Fact, seal
from models.letters import Letter, LetterKind, LetterState, letter_key
from models.obligations import TERMS, Obligation, ObligationKind
from models.terms import Terms, acknowledgement_due, counting_starts, final_due, warnings


class Case(BaseModel):
    """One inquiry. All times are aware UTC; `terms` and `calendar` are the snapshot it was opened under (reading 13).

    `contact`, the addresses' ids and `salt` are opaque: whom they stand for is known only to the records database.
    """

    model_config = ConfigDict(extra="ignore")

    reference: str
    kind: Kind
    language: Language
    channel: Channel
    contact: str
    salt: str
    addresses: tuple[Address, ...]
    bound: bool = False
    received_at: AwareDatetime
    submitted_at: AwareDatetime
    opened_at: AwareDatetime
    terms: Terms
    calendar: BusinessCalendar
    refers_to: str = ""

    owner: str = ""
    area: Area = "cx"
    channel_now: Channel = EMAIL
    dead: tuple[str, ...] = ()
    obligations: list[Obligation] = []
    letters: list[Letter] = []
    told: AwareDatetime | None = None
    referrals: list[Referral] = []
    extensions: list[Extension] = []
    escalation: Escalation | None = None
    final: FinalAnswer | None = None
    appeals: list[Appeal] = []
    proposal: Proposal | None = None
    information_asked_at: AwareDatetime | None = None
    withdrawn_at: AwareDatetime | None = None
    merged_into: str = ""
    window_ends: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    unread: int = 0

    version: int = 0
    seq: int = 0
    head: str = GENESIS
    pending: list[Fact] = []
    answers: dict[str, Answer] = {}

    # -- reading -------------------------------------------------------------------------------------------------

    @property
    def start(self) -> datetime:
        """Where both terms count from (M3.2, M3.4, reading 1), aware UTC."""
        return counting_starts(self.terms, self.received_at, self.submitted_at)

    def owed(self, *kinds: ObligationKind) -> list[Obligation]:
        """The open obligations, of these kinds if any are named, earliest due first."""
        found = [o for o in self.obligations if o.open and (not kinds or o.kind in kinds)]
        return sorted(found, key=lambda o: (o.due, o.n))

    @property
    def final_term(self) -> Obligation | None:
        """The running obligation to answer (M3.4), or None when it is met or has fallen away."""
        return next(iter(self.owed(ObligationKind.FINAL)), None)

    @property
    def extension_pending(self) -> Extension | None:
        """The extension whose letter no channel has accepted yet."""
        return next((e for e in self.extensions if e.effective_at is None and e.void_at is None), None)

    @property
    def escalated(self) -> Escalation | None:
        """The open external escalation."""
        return self.escalation if self.escalation and self.escalation.ended_at is None else None

    @property
    def appeal(self) -> Appeal | None:
        """The open review."""
        return next((a for a in self.appeals if a.decided_at is None), None)

    @property
    def referred(self) -> Referral | None:
        """The first open referral."""
        return next((r for r in self.referrals if r.answered_at is None), None)

    def letter(self, key: str) -> Letter | None:
        """The letter with that key."""
        return next((one for one in self.letters if one.key == key), None)

    def outbox(self, now: datetime) -> Letter | None:
        """The next letter that can leave at `now`."""
        waiting = (one for one in self.letters if one.state is LetterState.OWED and one.address is not None)
        return next((one for one in waiting if one.not_before is None or one.not_before <= now), None)

    def address(self, channel: Channel | None = None) -> Address | None:
        """The address to write to: first on the wanted channel, then the one of first contact, then by policy (M4.1, M4.2)."""
        alive = [a for a in self.addresses if a.id not in self.dead]
        order = (channel or self.channel_now, *self.terms.channel_order)
        return next((a for wanted in order for a in alive if a.channel == wanted), alive[0] if alive else None)

    @property
    def status(self) -> Status:
        """Where the case stands, derived."""
        if self.closed_at:
            return Status.CLOSED
        if self.appeal:
            return Status.APPEALED
        if self.final:
            return Status.ANSWERED if self.final.accepted_at else Status.ANSWERING
        if self.escalated:
            return Status.EXTERNAL
        if self.referred:
            return Status.REFERRED
        return Status.RECEIVED if self.owed(ObligationKind.ACKNOWLEDGEMENT) else Status.OPEN

    @property
    def flags(self) -> tuple[Flag, ...]:
        """What sets the case apart, derived, in a fixed order."""
        raised = {
            Flag.EXTENDED: any(e.effective_at and not e.void_at for e in self.extensions),
            Flag.ESCALATED: self.escalated is not None,
            Flag.APPEALED: bool(self.appeals),
            Flag.LATE: any(o.late for o in self.obligations if o.kind in TERMS)
            or any(e.told_late for e in self.extensions),
            Flag.UNDELIVERED: self.undelivered,
            Flag.WITHDRAWN: self.withdrawn_at is not None,
            Flag.MERGED: bool(self.merged_into),
        }
        return tuple(flag for flag, up in raised.items() if up)

    @property
    def undelivered(self) -> bool:
        """True while a letter is owed and no address works (reading 10)."""
        return any(one.state is LetterState.OWED and one.address is None for one in self.letters)

    def next_alarm(self) -> datetime | None:
        """When time itself next changes this case; None when only people can."""
        times = [alarm for o in self.obligations if (alarm := o.next_alarm())]
        times += [one.not_before for one in self.letters if one.state is LetterState.OWED and one.not_before]
        if self.window_ends and not self.closed_at and not self.busy:
            times.append(self.window_ends)
        return min(times) if times else None

    @property
    def busy(self) -> bool:
        """True while a case may not close: something is owed, or a review is open."""
        return bool(self.owed()) or self.appeal is not None or any(x.state is LetterState.OWED for x in self.letters)

    def answer(self, *, proposed: bool = False) -> Answer:
        """How the case stands, for the caller of a command."""
        upcoming = next(iter(self.owed()), None)
        return Answer(
            reference=self.reference,
            version=self.version,
            status=self.status,
            next_obligation=upcoming.kind.value if upcoming else "",
            next_due=upcoming.due if upcoming else None,
            resolution_due=self.resolution_due,
            proposed=proposed,
        )

    @property
    def resolution_due(self) -> datetime | None:
        """The date of the final answer: running, or the last one there was."""
        finals = [o for o in self.obligations if o.kind is ObligationKind.FINAL]
        return finals[-1].due if finals else None

    # -- changing: the few verbs that clock, post and commands share -------------------------------------------------

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
        """Leave a fact behind. Times among `data` are written as ISO 8601; what is None is left out."""
        plain = {k: v.isoformat() if isinstance(v, (datetime, date)) else v for k, v in data.items() if v is not None}
        self.pending.append(Fact(at=at, type=what, actor=actor, rule=rule, data=plain, texts=texts or {}))

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

    def meet(self, obligation: Obligation, letter: Letter, at: datetime) -> None:
        """An accepted letter meets an obligation (reading 10)."""
        met = self.put(obligation, met_at=at, met_by=letter.key)
        what = "obligation.met" if met.kept else "obligation.met-late"
        self.record(at, what, rule=met.rule, n=met.n, kind=met.kind.value, due=met.due, letter=letter.key)

    def supersede(
        self, obligation: Obligation, at: datetime, *, why: str, actor: Actor = SYSTEM, by: int | None = None
    ) -> None:
        """An obligation falls away, or another stands in its place."""
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
        first: bool = False,
        not_before: datetime | None = None,
        actor: Actor = SYSTEM,
    ) -> Letter:
        """Owe a letter; a copy goes to the registered e-mail where reading 7 wants one. `first` puts it before all others."""
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
        )
        self.letters.insert(0 if first else len(self.letters), letter)
        self.record(at, "letter.owed", actor=actor, key=letter.key, kind=kind.value, due=due, draft=draft or None)
        registered = next((a for a in self.addresses if a.registered and a.id not in self.dead), None)
        if to is None and kind in self.terms.copied and registered and registered != letter.address:
            copy = letter.model_copy(
                update={
                    "key": f"{letter.key}/copy",
                    "address": registered,
                    "meets": (),
                    "tells": None,
                    "copy_of": letter.key,
                }
            )
            self.letters.append(copy)
        return letter

    def post(self, letter: Letter, **changes: object) -> Letter:
        """Replace a letter's state."""
        changed = letter.model_copy(update=changes)
        self.letters[next(i for i, one in enumerate(self.letters) if one.key == letter.key)] = changed
        return changed

    def void(self, letter: Letter, at: datetime, *, why: str) -> None:
        """A letter that has not left will not leave."""
        self.post(letter, state=LetterState.VOID)
        self.record(at, "letter.void", key=letter.key, why=why)

    def seal(self, count: int | None = None) -> list[Event]:
        """Move the first `count` pending facts (all by default) into the chain and return them as events."""
        facts, self.pending = self.pending[:count], self.pending[count:] if count is not None else []
        events = []
        for fact in facts:
            event = seal(fact, reference=self.reference, seq=self.seq + 1, previous=self.head, salt=self.salt)
            self.seq, self.head = event.seq, event.hash
            events.append(event)
        return events


def promise(
    case: Case, received: datetime, at: datetime, *, why: str, actor: Actor = SYSTEM
) -> tuple[Obligation, Obligation]:
    """Make the two promises of every reception: acknowledge (M3.2) and answer (M3.4)."""
    terms, calendar = case.terms, case.calendar
    soon, late = acknowledgement_due(terms, calendar, received), final_due(terms, calendar, received)
    return (
        case.owe(
            ObligationKind.ACKNOWLEDGEMENT,
            soon,
            at,
            why=why,
            actor=actor,
            warnings=warnings(terms, calendar, soon, terms.acknowledgement_warnings),
        ),
        owe_final(case, late, at, why=why, actor=actor),
    )


def owe_final(
    case: Case, due: datetime, at: datetime, *, why: str, actor: Actor = SYSTEM, subject: str = ""
) -> Obligation:
    """Promise the final answer by `due` (M3.4), with the warnings that the policy wants before it."""
    days = warnings(case.terms, case.calendar, due, case.terms.final_warnings)
    return case.owe(ObligationKind.FINAL, due, at, why=why, actor=actor, subject=subject, warnings=days)


def open_case(case: Case, *, actor: Actor = SYSTEM, hold_until: datetime | None = None) -> Case:
    """Make the two promises of every inquiry (M3.2, M3.4) and owe its acknowledgement.

    `hold_until` holds the letter back where an address has had its fill of acknowledgements today; the term runs on.
    """
    now = case.opened_at
    case.record(
        now,
        "case.opened",
        actor=actor,
        rule="M3.1",
        kind=case.kind.value,
        channel=case.channel,
        received_at=case.received_at,
        submitted_at=case.submitted_at,
        policy=case.terms.policy_version,
        calendar=case.calendar.version,
        refers_to=case.refers_to or None,
    )
    acknowledgement, final = promise(case, case.start, now, why="received", actor=actor)
    case.write(
        LetterKind.ACKNOWLEDGEMENT, now, meets=(acknowledgement.n,), tells=final.due, not_before=hold_until, actor=actor
    )
    return case
