"""Telling a colleague by mail: chosen, kept and sent like a letter, but beside the case's letters and its chain.

The mailbox is resolved when the mail is written. What the case makes of the answer is `models.telling.heard`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.composing import Stationery
from activities.letters.markup import Link
from activities.letters.memo_words import FINDINGS, NO_DATE, OWED, PROPOSED
from activities.letters.words import Speech
from activities.memos import language_of, memo
from activities.notices import ASK_AGAIN, KeptParts, Sender
from channels.letter import Accepted, OutboundLetter
from models.alerts import Alert, AlertKind, Heard, Summons
from models.errors import ChannelError, OperatorError, RecipientError, UnknownOutcome
from models.inquiry import EMAIL, STAFF, Channel, Language
from models.letters import LetterKind
from models.tables import Notice, NoticeState, StaffRow
from models.work import ALERT
from records import colleagues, notices, staff
from records.database import Database


@dataclass(frozen=True)
class Alerts:
    """The port to colleagues. `clock` gives aware UTC; `slowly` is the pause after a fault of our own account."""

    database: Database
    stationery: Stationery
    senders: Mapping[Channel, Sender]
    clock: Callable[[], datetime]
    slowly: timedelta = timedelta(minutes=5)

    @activity.defn(name=ALERT, no_thread_cancel_exception=True)
    def alert(self, summons: Summons) -> Heard:
        """Tell one colleague, once. Raises ApplicationError; it is tried again while the reason holds."""
        passed: tuple[str, ...] = ()
        with self.database.write() as session:
            notice = notices.find(session, summons.alert.key)
            if notice is None:
                person, passed = self._choose(session, summons)
                if person is None:
                    return Heard(key=summons.alert.key, at=self.clock(), passed=passed)
                notice = self._memo(summons, person)
                notices.begin(session, notice)
                fresh = True
            else:
                fresh = False
        return self.send(notice.key, fresh=fresh).model_copy(update={"passed": passed})

    def send(self, key: str, *, fresh: bool) -> Heard:
        """Send a kept memo, or learn that it left already. `fresh`: its first try is counted."""
        with self.database.write() as session:
            notice = notices.find(session, key)
            if notice is None:
                raise ApplicationError(f"nothing is kept under {key}", type="UnknownMemo")
            to = notice.address_id.removeprefix(STAFF)
            if notice.state == NoticeState.FAILED:
                return Heard(key=key, at=self.clock(), to=to, reached=False)
            if notice.accepted_at or notices.evidence(session, key):
                at = notice.accepted_at or self.clock()
                return Heard(
                    key=key, at=notices.accepted(session, key, at, notice.provider_id).accepted_at or at, to=to
                )
            if not fresh:
                notices.trying(session, key, self.clock(), duplicate=notice.state == NoticeState.SENDING)
            person = staff.person(session, to)
            mail = _mail(notice, person) if person and person.email else None
            if mail is None:
                notices.failed(session, key, "the colleague has no mailbox any more", self.clock())
                return Heard(key=key, at=self.clock(), to=to, reached=False)
        try:
            accepted = self._hand_over(mail)
        except RecipientError as error:
            with self.database.write() as session:
                notices.failed(session, key, error.detail, self.clock())
            return Heard(key=key, at=self.clock(), to=to, reached=False)
        with self.database.write() as session:
            fate = notices.accepted(session, key, accepted.at, accepted.provider_id)
        return Heard(key=key, at=fate.accepted_at or accepted.at, to=to)

    def _hand_over(self, mail: OutboundLetter) -> Accepted:
        """Hand it over, or say how to go on. Raises RecipientError and ApplicationError."""
        try:
            if EMAIL not in self.senders:
                raise OperatorError("no sender of mails is set up")
            parts = KeptParts(self.database, mail.notice, EMAIL, self.clock)
            return self.senders[EMAIL].send(mail, parts)
        except RecipientError:
            raise
        except UnknownOutcome as error:
            raise ApplicationError(error.detail, type=type(error).__name__, next_retry_delay=ASK_AGAIN) from None
        except ChannelError as error:
            with self.database.write() as session:
                notices.refused(session, mail.notice, error.detail, self.clock())
            wait = timedelta(seconds=error.retry_after) if error.retry_after is not None else None
            slow = self.slowly if isinstance(error, OperatorError) else wait
            raise ApplicationError(error.detail, type=type(error).__name__, next_retry_delay=slow) from None

    def _choose(self, session: Session, summons: Summons) -> colleagues.Found:
        """The next who is there; of what is urgent everybody may be told again once all have been."""
        alert, now = summons.alert, self.clock()

        def found(spared: tuple[str, ...]) -> colleagues.Found:
            return colleagues.find(
                session,
                self.stationery.policy,
                alert.order,
                area=alert.area,
                owner=summons.owner,
                spared=spared,
                now=now,
            )

        first = found((*alert.spared, *summons.tried))
        if first.person is None and alert.kind is AlertKind.URGENT and summons.tried:
            return found(alert.spared)
        return first

    def _memo(self, summons: Summons, person: StaffRow) -> Notice:
        """Write it in the colleague's language."""
        policy, alert = self.stationery.policy, summons.alert
        language = language_of(person)
        speech = Speech(language, policy.calendar_settings.zone)
        values: dict[str, str] = {
            "reference": summons.reference,
            "what": self._what(alert, language),
            "due": speech.until(alert.due) or NO_DATE[language],
            "link": Link(f"{policy.reminders.link}/{summons.reference}"),
        }
        if alert.kind is AlertKind.REMINDER:
            values["missed"] = "yes" if alert.about.startswith("missed/") else ""
        return memo(
            self.stationery,
            alert.kind.value,
            key=alert.key,
            reference=summons.reference,
            person=person,
            values=values,
            now=self.clock(),
        )

    def _what(self, alert: Alert, language: Language) -> str:
        policy = self.stationery.policy
        match alert.kind:
            case AlertKind.APPROVAL_DUE:
                return PROPOSED[language].get(alert.reason, alert.reason)
            case AlertKind.UNDELIVERABLE:
                return self.stationery.letters.name(LetterKind(alert.reason), language)
            case AlertKind.URGENT:
                matter = policy.urgent.matters.get(alert.reason)
                return matter.label.text(language) if matter else alert.reason
            case AlertKind.REMINDER:
                if known := OWED[language].get(alert.reason):
                    return known
                area = policy.areas.get(alert.reason)
                return FINDINGS[language].format(area.label.text(language) if area else alert.reason)


def _mail(notice: Notice, person: StaffRow) -> OutboundLetter:
    return OutboundLetter(
        notice=notice.key,
        kind=notice.kind,
        to=person.email,
        subject=notice.subject,
        text=notice.text,
        html=notice.html,
        message_id=notice.message_id,
    )
