"""Telling a colleague by mail: chosen, kept and sent like a letter, but beside the case's letters and its chain.

The mailbox is resolved when the mail is written. What the case makes of the answer is `models.telling.heard`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session
from temporalio import activity

from activities.composing import Stationery
from activities.letters.markup import Link
from activities.letters.memo_words import FINDINGS, NO_DATE, OWED, PROPOSED
from activities.letters.words import Speech
from activities.mailing import Mailing
from activities.memos import language_of, memo
from models.alerts import Alert, AlertKind, Heard, Summons
from models.inquiry import Language
from models.letters import LetterKind
from models.tables import Notice, StaffRow
from models.work import ALERT
from records import colleagues, notices, visibility
from records.database import Database


@dataclass(frozen=True)
class Alerts:
    """The port to colleagues. `clock` gives aware UTC."""

    database: Database
    stationery: Stationery
    mailing: Mailing
    clock: Callable[[], datetime]

    @activity.defn(name=ALERT, no_thread_cancel_exception=True)
    def alert(self, summons: Summons) -> Heard:
        """Tell one colleague, once. Raises ApplicationError; it is tried again while the reason holds."""
        passed: tuple[str, ...] = ()
        now = self.clock()
        with self.database.write() as session:
            notice = notices.find(session, summons.alert.key)
            if notice is None:
                person, passed = self._choose(session, summons, now)
                if person is None:
                    return Heard(key=summons.alert.key, at=now, passed=passed)
                notice = self._memo(summons, person, now)
                notices.begin(session, notice)
                fresh = True
            else:
                fresh = False
        return self.mailing.send(notice.key, fresh=fresh).model_copy(update={"passed": passed})

    def _choose(self, session: Session, summons: Summons, now: datetime) -> colleagues.Found:
        """The next who is there; of what is urgent everybody may be told again once all have been."""
        alert = summons.alert

        def found(spared: tuple[str, ...]) -> colleagues.Found:
            return colleagues.find(
                session,
                self.stationery.policy,
                alert.order,
                area=alert.area,
                owner=summons.owner,
                spared=spared,
                now=now,
                kept=visibility.kept(session, summons.reference),
            )

        first = found((*alert.spared, *summons.tried))
        if first.person is None and alert.kind is AlertKind.URGENT and summons.tried:
            return found(alert.spared)
        return first

    def _memo(self, summons: Summons, person: StaffRow, now: datetime) -> Notice:
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
            now=now,
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
            case AlertKind.FOLLOW_UP | AlertKind.INFORMATION_DUE:
                return Speech(language, policy.calendar_settings.zone).written(alert.reason)
            case AlertKind.REMINDER:
                if known := OWED[language].get(alert.reason):
                    return known
                area = policy.areas.get(alert.reason)
                return FINDINGS[language].format(area.label.text(language) if area else alert.reason)
