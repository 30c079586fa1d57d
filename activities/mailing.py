"""Mails to colleagues on their way out: kept before they leave, sent once under the same Message-ID, and remembered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio.exceptions import ApplicationError

from activities.sending import ASK_AGAIN, KeptParts, Sender
from channels.letter import Accepted, OutboundLetter
from models.alerts import Heard
from models.errors import ChannelError, OperatorError, RecipientError, UnknownOutcome
from models.inquiry import EMAIL, STAFF, Channel
from models.tables import Notice, NoticeState, StaffRow
from records import notices, staff
from records.database import Database
from tracing import step


@dataclass(frozen=True)
class Mailing:
    """The way out to colleagues. `clock` gives aware UTC; `slowly` is the pause after a fault of our own account."""

    database: Database
    senders: Mapping[Channel, Sender]
    clock: Callable[[], datetime]
    slowly: timedelta = timedelta(minutes=5)

    def send(self, key: str, *, fresh: bool) -> Heard:
        """Send a kept memo, or learn that it left already. `fresh`: its first try is counted."""
        now = self.clock()
        with self.database.write() as session:
            notice = notices.find(session, key)
            if notice is None:
                raise ApplicationError(f"nothing is kept under {key}", type="UnknownMemo")
            to = notice.address_id.removeprefix(STAFF)
            if notice.state == NoticeState.FAILED:
                return Heard(key=key, at=now, to=to, reached=False)
            if notice.accepted_at or notices.evidence(session, key):
                at = notice.accepted_at or now
                return Heard(
                    key=key, at=notices.accepted(session, key, at, notice.provider_id).accepted_at or at, to=to
                )
            if not fresh:
                notices.trying(session, key, now, duplicate=notice.state == NoticeState.SENDING)
            person = staff.person(session, to)
            mail = _mail(notice, person) if person and person.email else None
            if mail is None:
                notices.failed(session, key, "the colleague has no mailbox any more", now)
                return Heard(key=key, at=now, to=to, reached=False)
        try:
            accepted = self._hand_over(mail)
        except RecipientError as error:
            with self.database.write() as session:
                notices.failed(session, key, error.detail, now)
            return Heard(key=key, at=now, to=to, reached=False)
        with self.database.write() as session:
            fate = notices.accepted(session, key, accepted.at, accepted.provider_id)
        return Heard(key=key, at=fate.accepted_at or accepted.at, to=to)

    def _hand_over(self, mail: OutboundLetter) -> Accepted:
        """Hand it over, or say how to go on. Raises RecipientError and ApplicationError."""
        try:
            if EMAIL not in self.senders:
                raise OperatorError("no sender of mails is set up")
            parts = KeptParts(self.database, mail.notice, EMAIL, self.clock)
            with step(f"send by {EMAIL}", kind="CLIENT"):
                return self.senders[EMAIL].send(mail, parts)
        except RecipientError:
            raise
        except UnknownOutcome as error:
            raise ApplicationError(error.detail, type=type(error).__name__, next_retry_delay=ASK_AGAIN) from None
        except ChannelError as error:
            now = self.clock()
            with self.database.write() as session:
                notices.refused(session, mail.notice, error.detail, now)
            wait = timedelta(seconds=error.retry_after) if error.retry_after is not None else None
            slow = self.slowly if isinstance(error, OperatorError) else wait
            raise ApplicationError(error.detail, type=type(error).__name__, next_retry_delay=slow) from None


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
