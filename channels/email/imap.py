"""E-mail in by IMAP: every mail of a folder once, in order, whatever anybody reads, marks or moves there.

The cursor holds the highest UID taken (UIDs only grow) and where a check stands that looks for what was left out.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from channels.email.folder import Folder, Withheld
from channels.email.reading import Reader
from channels.email.settings import EmailSettings
from channels.message import InboundMessage
from channels.port import Arrivals, Batch, Feed
from channels.report import DeliveryEvent
from channels.unread import unread
from models.errors import ChannelError
from models.inquiry import EMAIL

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

Reports = Callable[[InboundMessage], tuple[DeliveryEvent, ...]]
"""Tells what a mail says of our letters."""

IDLE_SECONDS = 20.0
"""How long a look waits for news; with the work around it a look stays below 30 seconds."""

CHECK_EVERY = timedelta(hours=1)
CHECK_BACK = timedelta(days=30)
"""How far back a check looks for mails that were left out."""

_AT_ONCE = 50
"""Mails of one look."""
_CHECKED_AT_ONCE = 500
_BYTES_AT_ONCE = 8_000_000
"""A look takes no further mail once it holds that many bytes."""
_SECONDS_AT_ONCE = 5.0
_DAY = timedelta(days=1)


class Place(BaseModel):
    """Where a look goes on: all UIDs up to `uid` were taken. 0 in `check` means that no check is under way."""

    model_config = ConfigDict(frozen=True)

    uidvalidity: int = 0
    uid: int = 0
    check: int = 0
    """The UID where the check goes on that is under way."""
    upto: int = 0
    """The highest UID that the last check looked at, or the one under way will."""
    checked_at: AwareDatetime | None = None

    @classmethod
    def read(cls, cursor: str) -> "Place":
        """Read a stored cursor; an empty or broken one begins anew, and the house knows what it has."""
        try:
            return cls.model_validate_json(cursor)
        except ValidationError:
            return cls()


class Imap(Feed):
    """The operator's mail folder."""

    name: ClassVar[str] = "imap"
    pause: ClassVar[float] = 0

    def __init__(
        self,
        settings: EmailSettings,
        reader: Reader,
        reports: Reports,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings, self._reader, self._reports, self._clock = settings, reader, reports, clock
        self._folder = Folder(settings)
        self._looking = threading.Lock()
        self._closing, self._asked = threading.Event(), threading.Event()
        self._withheld: set[int] = set()

    def look(self, cursor: str, known: Callable[[str], bool], now: datetime) -> Batch:
        """Bring new mails; where there are none, go on with a check that is due, else wait for a mail."""
        with self._looking:
            try:
                return self._look(Place.read(cursor), known, now)
            except ChannelError:
                self._folder.close()
                raise
            finally:
                if self._closing.is_set():
                    self._let_go()

    def close(self) -> None:
        """End a wait for mail and hang up."""
        self._closing.set()
        with self._looking:
            self._let_go()

    def reconcile(self) -> None:
        """Ask for a check at once: the next looks compare what lies in the folder with what was taken."""
        self._asked.set()

    def _let_go(self) -> None:
        self._folder.close()
        self._closing.clear()

    def _look(self, place: Place, known: Callable[[str], bool], now: datetime) -> Batch:
        place, following = self._at(place, now)
        batch = self._new(place, following)
        if batch is None and self._due(place, now):
            batch = self._check(place, known, now)
        if batch is None:
            self._folder.wait(IDLE_SECONDS, lambda: self._closing.is_set() or self._asked.is_set())
            # A wait may be long enough for everything to have changed.
            place, following = self._at(place, self._clock())
            batch = self._new(place, following)
        return batch or Batch(Arrivals(), place.model_dump_json())

    def _at(self, place: Place, now: datetime) -> tuple[Place, int]:
        """Where we stand in the folder as it is now: at its beginning when its UIDs were given out anew."""
        opened = self._folder.open()
        if opened.uidvalidity != place.uidvalidity:
            place = Place(uidvalidity=opened.uidvalidity, checked_at=now)
        return place, opened.following

    def _new(self, place: Place, following: int) -> Batch | None:
        """The next mails above the watermark, or None where there are none."""
        first = place.uid + 1
        if following and following <= first:
            return None
        uids = self._folder.uids(first, max(0, following - 1), _AT_ONCE, self._settings.imap_since)
        if not uids:
            return None
        mails, last = self._take(uids)
        after = place.model_copy(update={"uid": last})
        return Batch(self._arrivals(mails), after.model_dump_json(), more=True)

    def _due(self, place: Place, now: datetime) -> bool:
        """Whether a check is to begin or to go on: every hour, when asked, and when there are mails to be moved."""
        unmoved = bool(self._settings.imap_done) and place.upto < place.uid
        old = place.checked_at is None or now - place.checked_at >= CHECK_EVERY
        return place.check > 0 or unmoved or old or self._asked.is_set()

    def _check(self, place: Place, known: Callable[[str], bool], now: datetime) -> Batch:
        """Compare the next few hundred mails below the watermark with what was taken, and take what was left out."""
        if not place.check:
            self._asked.clear()
            place = place.model_copy(update={"check": 1, "upto": place.uid})
        # Days are the server's own, wherever it is.
        since = None if self._settings.imap_done else (now - CHECK_BACK - _DAY).date()
        since = max(filter(None, (since, self._settings.imap_since)), default=None)
        uids = self._folder.uids(place.check, place.upto, _CHECKED_AT_ONCE, since) if place.upto else []
        ids = self._folder.message_ids(uids)
        doubtful = [uid for uid in sorted(ids) if not (ids[uid] and known(ids[uid]))]
        mails, last = self._take(doubtful)
        missing = {uid: mail for uid, mail in mails.items() if not known(mail.provider_id)}
        ended = not doubtful or last == doubtful[-1]
        reached = max(uids, default=0) if ended else last
        if self._settings.imap_done:
            stored = (ids.keys() - set(doubtful)) | (mails.keys() - missing.keys())
            self._folder.move([uid for uid in sorted(stored) if uid <= reached])
        ended &= len(uids) < _CHECKED_AT_ONCE
        progress = {"check": 0, "checked_at": now} if ended else {"check": reached + 1}
        after = place.model_copy(update=progress)
        return Batch(self._arrivals(missing), after.model_dump_json(), more=True, late=bool(missing))

    def _take(self, uids: list[int]) -> tuple[dict[int, InboundMessage], int]:
        """Read mails in order until there is enough for one look, and say which UID was the last looked at."""
        mails: dict[int, InboundMessage] = {}
        end, size, last = time.monotonic() + _SECONDS_AT_ONCE, 0, 0
        for uid in uids:
            if size >= _BYTES_AT_ONCE or time.monotonic() > end:
                break
            if mail := self._mail(uid):
                mails[uid] = mail
                size += len(mail.raw)
            last = uid
        return mails, last

    def _mail(self, uid: int) -> InboundMessage | None:
        """A mail read; None when it is gone, or withheld twice: others must not wait, and a check asks for it again."""
        try:
            found = self._folder.mail(uid, self._reader.limits.size)
        except Withheld:
            if uid in self._withheld:
                return None
            self._withheld.add(uid)
            raise
        if found is None:
            return None
        now = self._clock()
        at = min(found.at or now, now)
        try:
            return self._reader.read_mail(found.mail, at, whole=found.whole)
        except Exception:
            # One mail must not hold up the folder, whatever we make of it.
            log.exception("feed.unread", channel=EMAIL, bytes=len(found.mail))
            return unread(EMAIL, "", found.mail, at, "could not be read")

    def _arrivals(self, mails: dict[int, InboundMessage]) -> Arrivals:
        messages = tuple(mails.values())
        return Arrivals(
            messages=messages,
            reports=tuple(event for message in messages for event in self._told(message)),
        )

    def _told(self, message: InboundMessage) -> tuple[DeliveryEvent, ...]:
        """What a mail says of our letters; nothing where that cannot be read: the mail itself is kept."""
        try:
            return self._reports(message)
        except Exception:
            log.exception("feed.unread-report", channel=EMAIL, bytes=len(message.raw))
            return ()
