"""What came in and is not where it belongs yet, why, and since when.

An alarm is what nothing will mend by itself: Temporal refuses a row, a feed fails, a provider's number is missing.
"""

from datetime import datetime, timedelta

from pydantic import AwareDatetime
from sqlmodel import Session

from records import chat, deliveries, dispatches, feeds, hooks, incidents, messages, posts, remote_files, streams
from starter.admin.message_views import MessageView
from starter.admin.views import View

QUIET = timedelta(minutes=15)
"""A feed that has not looked for so long is run by nobody."""


class WaitingView(View):
    """Something that Temporal has not taken: a start, or a signal's name."""

    reference: str
    name: str
    since: AwareDatetime
    tries: int
    next_try: AwareDatetime | None
    why: str
    dead: bool


class FileView(View):
    """A file that lies with its provider still."""

    message: str
    channel: str
    filename: str
    since: AwareDatetime
    tries: int
    why: str


class FeedView(View):
    """A feed: when it last looked, since when it fails, and how much it found that nobody had told."""

    name: str
    channel: str
    looked_at: AwareDatetime | None
    failing_since: AwareDatetime | None
    why: str
    late: int


class GapView(View):
    """Numbers of a provider that never came, all or some of them."""

    stream: str
    first: int
    last: int


class InboxView(View):
    """Everything that waits. `alarms` says in words what somebody must look into."""

    alarms: tuple[str, ...]
    waiting: tuple[WaitingView, ...]
    quarantine: tuple[MessageView, ...]
    files: tuple[FileView, ...]
    feeds: tuple[FeedView, ...]
    gaps: tuple[GapView, ...]


def inbox(session: Session, at: datetime, unseen: frozenset[str] = frozenset()) -> InboxView:
    """Look at everything that waits; what is of an inquiry of `unseen` is left out. `at` is the time, aware UTC."""
    waiting = tuple(
        WaitingView(
            reference=row.reference,
            name=row.name,
            since=row.created_at,
            tries=row.attempts,
            next_try=row.not_before,
            why=row.last_error or ("gathered" if row.name == dispatches.DELIVERED else "on its way"),
            dead=row.refusals >= dispatches.DEAD_AFTER,
        )
        for row in dispatches.all_undone(session)
        if row.reference not in unseen
    )
    files = tuple(
        FileView(
            message=row.message,
            channel=row.channel,
            filename=row.filename,
            since=row.created_at,
            tries=row.attempts,
            why=row.last_error or "on its way",
        )
        for row, reference in remote_files.waiting(session)
        if reference not in unseen
    )
    running = tuple(
        FeedView(
            name=row.name,
            channel=row.channel,
            looked_at=row.looked_at,
            failing_since=row.failing_since,
            why=row.last_error,
            late=row.late,
        )
        for row in feeds.all_of_them(session)
    )
    since = at - streams.KEPT
    gaps = (
        *(GapView(stream=gap.stream, first=gap.first, last=gap.last) for gap in streams.gaps(session, since=since)),
        *(GapView(stream=f"chat:{gap.session}", first=1, last=gap.last_seq) for gap in chat.gaps(session, since)),
    )
    held = tuple(MessageView.of(row, []) for row in messages.quarantined(session) if row.reference not in unseen)
    return InboxView(
        alarms=(*_alarms(waiting, running, gaps, at), *_silent(session, unseen)),
        waiting=waiting,
        quarantine=held,
        files=files,
        feeds=running,
        gaps=gaps,
    )


def _alarms(
    waiting: tuple[WaitingView, ...], running: tuple[FeedView, ...], gaps: tuple[GapView, ...], at: datetime
) -> tuple[str, ...]:
    dead = [f"{row.reference}: Temporal refuses {row.name}: {row.why}" for row in waiting if row.dead]
    out = [f"feed {row.name} brings nothing in: {row.why}" for row in running if row.failing_since]
    seen = [(row.name, row.looked_at) for row in running if row.looked_at and not row.failing_since]
    idle = [
        f"feed {name} has not looked since {last.isoformat(timespec='minutes')}; does the collector run?"
        for name, last in seen
        if at - last > QUIET
    ]
    lost = [f"{gap.stream}: numbers are missing between {gap.first} and {gap.last}" for gap in gaps]
    return (*dead, *out, *idle, *lost)


def _silent(session: Session, unseen: frozenset[str]) -> tuple[str, ...]:
    """What fails with nobody there to see it."""
    return (*_unread(session), *_unreached(session, unseen), *_unheard(session))


def _unread(session: Session) -> tuple[str, ...]:
    return tuple(
        f"post {row.number} of {row.channel} cannot be taken in: {row.last_error}" for row in posts.dead(session)
    )


def _unreached(session: Session, unseen: frozenset[str]) -> tuple[str, ...]:
    return tuple(
        f"{row.key}: does not reach {row.tracker}: {row.error}"
        for row in incidents.failing(session)
        if row.reference not in unseen
    )


def _unheard(session: Session) -> tuple[str, ...]:
    """Webhooks whose receivers are gone or fail, and what was given up."""
    subscribed = hooks.all_of_them(session)
    off = [f"webhook {row.id} is switched off: {row.error}" for row in subscribed if row.off_at]
    out = [f"webhook {row.id} fails: {row.error}" for row in subscribed if row.failing_since and not row.off_at]
    lost = [
        f"webhook {id_}: {standing.given_up} events were given up; replay them"
        for id_, standing in deliveries.standing(session).items()
        if standing.given_up
    ]
    return (*off, *out, *lost)
