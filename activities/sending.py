"""One try at sending a letter: kept before it leaves, and how the try ended.

A try whose end is unknown waits for the provider's event, for a while and never into the last hour before its due date;
then the letter leaves again under the same Message-ID and is recorded as a possible duplicate.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from sqlmodel import Session
from temporalio.exceptions import ApplicationError

from activities.composing import Stationery, compose, outbound
from channels.letter import Accepted, OutboundLetter
from channels.port import Parts
from models.case import Case
from models.due_dates import unknown_wait_until
from models.errors import ChannelError, OperatorError, RecipientError, UnknownOutcome
from models.inquiry import Channel
from models.letters import Letter
from models.tables import Notice, NoticeState
from models.work import RECIPIENT_FAILED
from records import notices, restores
from records.database import Database
from tracing import step

ASK_AGAIN = timedelta(seconds=10)
"""How often a try with an unknown end looks for the provider's event."""


class Sender(Protocol):
    """One channel's way out."""

    def send(self, letter: OutboundLetter, parts: Parts) -> Accepted:
        """Hand a letter over, behind the parts that were taken before.

        Raises RecipientError, OperatorError, TransientError or UnknownOutcome.
        """


@dataclass(frozen=True)
class KeptParts:
    """The parts of one letter that its channel took, kept in a transaction of their own as soon as they are."""

    database: Database
    letter: str
    channel: Channel
    clock: Callable[[], datetime]

    @property
    def taken(self) -> tuple[str, ...]:
        """The channel's ids of the parts taken so far, in order."""
        with self.database.read() as session:
            return notices.parts(session, self.letter)

    def take(self, provider_id: str) -> None:
        """Keep that the channel took the next part."""
        now = self.clock()
        with self.database.write() as session:
            n = len(notices.parts(session, self.letter)) + 1
            notices.take_part(session, self.letter, n, channel=self.channel, provider_id=provider_id, now=now)


class Words(NamedTuple):
    """A letter as it will be kept, and the mail that carries it."""

    notice: Notice
    mail: OutboundLetter


@dataclass(frozen=True)
class Sending:
    """The port to the channels. `clock` gives aware UTC; `slowly` is the pause after a fault of our own account."""

    database: Database
    stationery: Stationery
    senders: Mapping[Channel, Sender]
    clock: Callable[[], datetime]
    slowly: timedelta = timedelta(minutes=5)

    def leave(self, case: Case, letter: Letter, channel: Channel) -> Accepted | None:
        """Try to hand a letter over. None when the provider has it already; raises ApplicationError when it has not."""
        with self.database.read() as session:
            words = self._words(session, case, letter)
            doubtful = words is not None and restores.since(session, letter.not_before or letter.created_at)
        now = self.clock()
        with self.database.write() as session:
            begun = words is not None and notices.begin(session, words.notice)
            if words and begun:
                mail: OutboundLetter | None = words.mail
            else:
                mail = self._prepare(session, case, letter, now)
        if begun and doubtful:
            raise _may_have_left()
        return self._send(letter, channel, mail) if mail else None

    def _words(self, session: Session, case: Case, letter: Letter) -> Words | None:
        """Write a letter that was never tried, while others may still write to the database; None for one that was."""
        if notices.kept(session, letter.key):
            return None
        before = case.model_copy()
        before.seal()
        try:
            notice = compose(session, before, letter, self.stationery, self.clock())
            return Words(notice, outbound(session, notice, self.stationery))
        except ChannelError as error:
            raise self._unwritable(error) from None

    def _prepare(self, session: Session, case: Case, letter: Letter, now: datetime) -> OutboundLetter | None:
        """Begin another try of a kept letter. None when the provider has it already."""
        notice = notices.find(session, letter.key)
        if notice is None or notice.accepted_at is not None or notices.evidence(session, letter.key):
            return None
        unknown = notice.state == NoticeState.SENDING and notice.tries > 0
        if unknown:
            _wait(case, letter, notice, now)
        try:
            mail = outbound(session, notice, self.stationery)
        except ChannelError as error:
            raise self._unwritable(error) from None
        notices.trying(session, letter.key, now, duplicate=unknown)
        return mail

    def _send(self, letter: Letter, channel: Channel, mail: OutboundLetter) -> Accepted:
        """Hand it over, or record how the try ended and say how to go on: another address, slowly, or soon."""
        try:
            if channel not in self.senders:
                raise OperatorError(f"no sender is set up for channel {channel}")
            with step(f"send by {channel}", kind="CLIENT"):
                return self.senders[channel].send(mail, KeptParts(self.database, letter.key, channel, self.clock))
        except UnknownOutcome as error:
            raise ApplicationError(error.detail, type=type(error).__name__, next_retry_delay=ASK_AGAIN) from None
        except ChannelError as error:
            raise self._refused(letter, error) from None

    def _refused(self, letter: Letter, error: ChannelError) -> ApplicationError:
        now = self.clock()
        with self.database.write() as session:
            if isinstance(error, RecipientError):
                notices.failed(session, letter.key, error.detail, now)
                return ApplicationError(error.detail, type=RECIPIENT_FAILED, non_retryable=True)
            notices.refused(session, letter.key, error.detail, now)
        if isinstance(error, OperatorError):
            return self._fault(error)
        delay = timedelta(seconds=error.retry_after) if error.retry_after is not None else None
        return ApplicationError(error.detail, type=type(error).__name__, next_retry_delay=delay)

    def _unwritable(self, error: ChannelError) -> ApplicationError:
        if isinstance(error, RecipientError):
            return ApplicationError(error.detail, type=RECIPIENT_FAILED, non_retryable=True)
        return self._fault(error)

    def _fault(self, error: ChannelError) -> ApplicationError:
        return ApplicationError(error.detail, type=type(error).__name__, next_retry_delay=self.slowly)


def _may_have_left() -> ApplicationError:
    """The records were put back since the letter was owed: it is kept as one whose last try has an unknown end."""
    return ApplicationError(
        "the records were put back after this letter was owed; it may have left",
        type=UnknownOutcome.__name__,
        next_retry_delay=ASK_AGAIN,
    )


def _wait(case: Case, letter: Letter, notice: Notice, now: datetime) -> None:
    """An earlier try may have been accepted: wait for the provider's word while there is time."""
    until = unknown_wait_until(case.terms, notice.tried_at or now, letter.due)
    if now < until:
        raise ApplicationError(
            f"the end of the last try is unknown; waiting for the provider's word until {until.isoformat()}",
            type=UnknownOutcome.__name__,
            next_retry_delay=min(until - now, ASK_AGAIN),
        )
