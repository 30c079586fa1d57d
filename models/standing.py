"""How a case stands: everything that can be read off it. Nothing here changes a case."""

from datetime import datetime

from models.agenda import Asked, FollowUp
from models.area_work import Incident, Referral, Verification
from models.calendar import BusinessCalendar
from models.due_dates import counting_starts
from models.episodes import Answer, Appeal, Escalation, Extension, Remedy
from models.identity import Level, Representative
from models.inquiry import Address, Channel, Flag, Status
from models.letters import Letter
from models.obligations import TERMS, Obligation, ObligationKind
from models.outbox import Outbox

DAYS_AHEAD = 800
"""How many calendar days must be known to count any term of a policy from some moment: 400 business days and room."""


class Standing(Outbox):
    """One inquiry as it stands. All times are aware UTC."""

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
        return next((r for r in self.referrals if r.open), None)

    @property
    def verified(self) -> list[Verification]:
        """The verifications that count: none from before the case was last reopened (M5.3)."""
        return [v for v in self.verifications if v.ended_at is None]

    def incident(self, n: int) -> Incident | None:
        """The incident with that number."""
        return next((one for one in self.incidents if one.n == n), None)

    @property
    def open_incidents(self) -> list[Incident]:
        """The incidents that specialists work on still."""
        return [one for one in self.incidents if not one.over and one.left_at is None]

    @property
    def untold(self) -> list[Incident]:
        """The incidents of which a tracker does not know all that it must."""
        return [one for one in self.incidents if one.untold]

    @property
    def open_remedies(self) -> list[Remedy]:
        """What was promised and is neither done nor withdrawn."""
        return [one for one in self.remedies if one.open]

    @property
    def unheard(self) -> list[Asked]:
        """What the user was asked for and has not answered; nobody waits for it once the case is decided."""
        over = self.final or self.withdrawn_at or self.merged_into or self.closed_at
        return [] if over else [one for one in self.asked if one.ended_at is None]

    @property
    def noted(self) -> list[FollowUp]:
        """The dates on which somebody is to look at the case, and has not."""
        return [one for one in self.follow_ups if one.done_at is None]

    @property
    def follow_up_at(self) -> datetime | None:
        """The first of them, come or to come."""
        return min((one.at for one in self.noted), default=None)

    @property
    def represented(self) -> Representative | None:
        """Whoever gets the letters in the user's place, while their address works."""
        one = self.representative
        return one if one and one.ended_at is None and one.address.id not in self.dead else None

    def level(self, letter: Letter) -> Level:
        """What is known of whoever reads a letter."""
        if self.represented and letter.address == self.represented.address:
            return Level.REPRESENTATIVE
        return Level.BOUND if self.bound else Level.UNVERIFIED

    @property
    def agenda(self) -> list[Asked | FollowUp]:
        """What the case looks forward to beside its promises."""
        return [*self.unheard, *self.noted]

    def days(self, at: datetime) -> BusinessCalendar:
        """The calendar for what is counted from `at`. A case may outlive its snapshot: beyond, only weekends are known.

        A day wrongly counted makes a due date earlier, never later (reading 13).
        """
        wanted = self.calendar.days_after(self.calendar.local_date(at), DAYS_AHEAD)
        return self.calendar if wanted <= self.calendar.last else self.calendar.model_copy(update={"last": wanted})

    def address(self, channel: Channel | None = None) -> Address | None:
        """The address to write to: on the wanted channel, else where letters go now, else by policy (M4.1, M4.2)."""
        if channel is None and self.represented:
            return self.represented.address
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
            Flag.URGENT: self.urgent is not None,
            Flag.WITHDRAWN: self.withdrawn_at is not None,
            Flag.MERGED: bool(self.merged_into),
            Flag.ERASED: self.erasure is not None and self.erasure.erased_at is not None,
        }
        return tuple(flag for flag, up in raised.items() if up)

    @property
    def ended(self) -> bool:
        """True when a closed case has nothing more to do: no erasure waits for its answer or to be done."""
        return self.closed_at is not None and (self.erasure is None or self.erasure.over)

    @property
    def erasing(self) -> bool:
        """True when what was decided to be erased can go: the letter that says so needs no address any more."""
        decided = self.erasure is not None and self.erasure.decided_at is not None and not self.erasure.over
        return decided and self.closed_at is not None and not self.waiting()

    @property
    def alarming(self) -> bool:
        """True while something urgent waits for somebody to see to it."""
        answered = self.closed_at or (self.final and self.final.accepted_at)
        return self.urgent is not None and self.urgent.acknowledged_at is None and not answered

    def next_alarm(self) -> datetime | None:
        """When time itself next changes this case; None when only people can."""
        times = [alarm for o in self.obligations if (alarm := o.next_alarm())]
        powers = [self.representative] if self.representative else []
        times += [alarm for one in (*self.agenda, *self.referrals, *powers) if (alarm := one.next_alarm())]
        times += [one.not_before for one in self.waiting() if one.not_before and one.address]
        if self.window_ends and not self.closed_at and not self.busy:
            times.append(self.window_ends)
        return min(times) if times else None

    @property
    def busy(self) -> bool:
        """True while a case may not close: something is owed, a review is open, somebody has to look or be told."""
        return self.appeal is not None or any((self.owed(), self.waiting(), self.untold, self.noted))

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
            proposal_due=self.proposal_due if proposed else None,
            proposed_at=self.proposal.at if proposed and self.proposal else None,
        )

    @property
    def proposal_due(self) -> datetime | None:
        """By when the proposed command is owed: no date waits for a second pair of eyes."""
        if self.proposal is None:
            return None
        answers = self.owed(ObligationKind.FINAL) if self.proposal.command == "resolve" else []
        return next((one.due for one in answers or self.owed()), None)

    @property
    def proposal_stale(self) -> bool:
        """Whether the user wrote again after the proposal, where policy lets that forbid its approval (M3.8)."""
        return self.proposal is not None and self.proposal.heard not in {None, self.heard}

    @property
    def resolution_due(self) -> datetime | None:
        """The date of the final answer: running, or the last one there was."""
        finals = [o for o in self.obligations if o.kind is ObligationKind.FINAL]
        return finals[-1].due if finals else None
