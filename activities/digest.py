"""The morning digest: one mail to each colleague for whom something waits, once a day however often it is asked for."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.composing import Stationery
from activities.letters.markup import Link
from activities.letters.memo_words import FINDINGS, LOOK_AGAIN, NO_DATE, OWED, PROPOSED
from activities.letters.memos import DIGEST as KIND
from activities.letters.memos import Row, Values
from activities.letters.words import Speech
from activities.mailing import Mailing
from activities.memos import language_of, memo
from models.inquiry import Language
from models.work import DIGEST
from records import notices
from records.agenda import FOLLOW_UP, Item, Work, agenda
from records.database import Database


@dataclass(frozen=True)
class Digests:
    """The morning's mails. `clock` gives aware UTC."""

    database: Database
    stationery: Stationery
    mailing: Mailing
    clock: Callable[[], datetime]

    @activity.defn(name=DIGEST, no_thread_cancel_exception=True)
    def send(self) -> int:
        """Tell everybody what waits for them today; return how many mails are out. On a closed day nobody is told.

        One that does not leave holds up no other. Raises ApplicationError after all the others; it is tried again.
        """
        policy, now = self.stationery.policy, self.clock()
        calendar = policy.whole_calendar()
        today = calendar.local_date(now)
        if not calendar.is_business_day(today):
            return 0
        until = calendar.end_of(calendar.after(today, policy.digest.due_business_days))
        with self.database.read() as session:
            works = agenda(session, policy, now, until)
        failed, sent = None, 0
        for work in works:
            key = f"{KIND}/{today.isoformat()}/{work.person.id}"
            try:
                sent += self._tell(key, work, now)
            except ApplicationError as error:
                failed = error
        if failed:
            raise failed
        return sent

    def _tell(self, key: str, work: Work, now: datetime) -> bool:
        with self.database.write() as session:
            fresh = not notices.kept(session, key)
            if fresh:
                person, values = work.person, self._values(work, now)
                reference = key.rpartition("/")[0]
                written = memo(
                    self.stationery, KIND, key=key, reference=reference, person=person, values=values, now=now
                )
                notices.begin(session, written)
        return self.mailing.send(key, fresh=fresh).reached

    def _values(self, work: Work, now: datetime) -> Values:
        policy, language = self.stationery.policy, language_of(work.person)
        speech = Speech(language, policy.calendar_settings.zone)

        def rows(items: Iterable[Item]) -> list[Row]:
            return [
                {
                    "reference": item.reference,
                    "what": self._what(item, language),
                    "due": speech.until(item.due) or NO_DATE[language],
                }
                for item in items
            ]

        return {
            "day": speech.day(now),
            "total": str(work.total),
            "owned": rows(work.owned),
            "approvals": rows(work.approvals),
            "referrals": rows(work.referrals),
            "follow_ups": rows(work.follow_ups),
            "link": Link(policy.reminders.link),
        }

    def _what(self, item: Item, language: Language) -> str:
        area = self.stationery.policy.areas.get(item.area)
        if item.area:
            return FINDINGS[language].format(area.label.text(language) if area else item.area)
        if item.what == FOLLOW_UP:
            return LOOK_AGAIN[language]
        return OWED[language].get(item.what) or PROPOSED[language].get(item.what, item.what)
