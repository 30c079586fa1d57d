"""The inbox: every message as it came in, stored before anybody is told that we have it."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, func, update
from sqlmodel import Session, col, or_, select

from models.tables import StoredMessage
from records import chat, remote_files
from records.database import add_once, first
from records.documents import AttachmentStore, Kept, attach
from records.ids import new_id
from records.incoming import Incoming

DONE_WITH = "claim"
"""The disposition of what belongs to no inquiry and waits for nobody (`channels.message.Disposition.CLAIM`)."""

_FIND = select(StoredMessage).where(
    col(StoredMessage.channel) == bindparam("channel"), col(StoredMessage.provider_id) == bindparam("provider_id")
)
_KNOWN = select(StoredMessage.n).where(
    col(StoredMessage.channel) == bindparam("channel"), col(StoredMessage.provider_id) == bindparam("provider_id")
)
_GET = select(StoredMessage).where(col(StoredMessage.id) == bindparam("id"))
_PLACE = update(StoredMessage).where(col(StoredMessage.id) == bindparam("of")).values(reference=bindparam("case"))
# One out of quarantine joined its inquiry when a person let it out, however early it came.
_JOINED = func.coalesce(col(StoredMessage.promoted_at), col(StoredMessage.stored_at))
_FIRST_WORDS = (
    select(StoredMessage.text)
    .where(col(StoredMessage.reference) == bindparam("of"), col(StoredMessage.text) != "")
    .order_by(_JOINED, col(StoredMessage.n))
    .limit(1)
)
_THREAD = (
    select(StoredMessage.message_id, StoredMessage.references)
    .where(
        col(StoredMessage.reference) == bindparam("of"),
        col(StoredMessage.channel) == bindparam("channel"),
        col(StoredMessage.third_party).is_(False),
        col(StoredMessage.public_place) == "",
    )
    .order_by(_JOINED.desc(), col(StoredMessage.n).desc())
    .limit(1)
)
_PUBLIC_PLACE = (
    select(StoredMessage.public_place)
    .where(col(StoredMessage.reference) == bindparam("of"), col(StoredMessage.public_place) != "")
    .order_by(col(StoredMessage.n))
    .limit(1)
)
_ALBUM = (
    select(StoredMessage)
    .where(
        col(StoredMessage.album) == bindparam("album"),
        col(StoredMessage.album) != "",  # as the index has it
        col(StoredMessage.channel) == bindparam("channel"),
        col(StoredMessage.sender) == bindparam("sender"),
        col(StoredMessage.part_of) == "",
    )
    .order_by(col(StoredMessage.n))
    .limit(1)
)


class Filed(NamedTuple):
    """Where a message's raw copy lies, and its attachments in their order."""

    raw: Kept
    attachments: tuple[Kept, ...]


def file(message: Incoming, raw: bytes, files: AttachmentStore) -> Filed:
    """Put a message's raw copy and attachments into the files. Do so before the transaction: it takes its time."""
    return Filed(files.put(raw), tuple(files.put(one.content) for one in message.attachments))


def hold(message: Incoming, raw: bytes, filed: Filed, files: AttachmentStore) -> None:
    """See that all is there still, in the transaction that stores the message: an erasure may have come in between."""
    files.hold(filed.raw, raw)
    for one, kept in zip(message.attachments, filed.attachments, strict=True):
        files.hold(kept, one.content)


def store(
    session: Session,
    message: Incoming,
    filed: Filed,
    now: datetime,
    *,
    reference: str | None = None,
    contact: str | None = None,
    address_id: str | None = None,
    third_party: bool = False,
    part_of: str = "",
    edit_of: str = "",
) -> tuple[StoredMessage, bool]:
    """Store a message whose files lie where `filed` says: the row, and True when it is new.

    The same message again (channel and provider's id) gives the first row and False, and changes nothing; whether it is
    really the same shows in `raw_sha256`. Without a reference it is in quarantine. `part_of` and `edit_of` are the ids
    of the message that it continues or words anew.
    """
    row = StoredMessage(
        id=new_id("ms"),
        channel=message.channel,
        provider_id=message.provider_id,
        reference=reference,
        contact=contact,
        address_id=address_id,
        sender=message.sender,
        sender_name=message.sender_name,
        sender_verified=message.sender_verified,
        third_party=third_party,
        received_at=message.received_at,
        stored_at=now,
        disposition=str(message.disposition),
        disposition_reason=message.disposition_reason,
        subject=message.subject,
        text=message.text,
        full_text=message.full_text,
        html=message.html,
        message_id=message.message_id,
        in_reply_to=message.in_reply_to,
        references=" ".join(message.references),
        language=message.language and str(message.language),
        kind=str(message.kind),
        dropped=[{"what": one.what, "why": one.why} for one in message.dropped],
        raw_sha256=filed.raw.sha256,
        raw_path=filed.raw.path,
        part_of=part_of,
        edit_of=edit_of,
        album=message.album,
        public_place=message.public_place,
        unreadable=message.unreadable,
    )
    if not add_once(session, row):
        return _get_by_provider(session, message.channel, message.provider_id), False
    for attachment, kept in zip(message.attachments, filed.attachments, strict=True):
        attach(session, row.id, attachment, kept)
    remote_files.add(session, row, message.files, now)
    return row, True


def find(session: Session, channel: str, provider_id: str) -> StoredMessage | None:
    """Return the message that came with that id of the provider's, or None."""
    key = {"channel": channel, "provider_id": provider_id}
    # Nearly all that comes in is new, and to find that out takes no whole row.
    return session.exec(_FIND, params=key).first() if first(session, _KNOWN, **key) else None


def find_album(session: Session, channel: str, sender: str, album: str) -> StoredMessage | None:
    """Return the first message of an album, which its further pictures continue; None where this is the first."""
    if not album:
        return None
    return session.exec(_ALBUM, params={"channel": channel, "sender": sender, "album": album}).first()


def public_place(session: Session, reference: str) -> str:
    """Return where a case began in public; empty where it did not."""
    row = first(session, _PUBLIC_PLACE, of=reference)
    return str(row.public_place) if row else ""


def get(session: Session, message_id: str) -> StoredMessage:
    """Return the message with that id of ours (`ms_...`). KeyError when there is none."""
    row = session.exec(_GET, params={"id": message_id}).first()
    if row is None:
        raise KeyError(f"no message has the id {message_id}")
    return row


def place(session: Session, message_id: str, reference: str) -> None:
    """Put a stored message into an inquiry: the one it opened, when the reference was allocated after it was stored.

    KeyError when there is no such message.
    """
    if not session.connection().execute(_PLACE, {"of": message_id, "case": reference}).rowcount:
        raise KeyError(f"no message has the id {message_id}")


def quarantined(session: Session, limit: int = 200) -> list[StoredMessage]:
    """Return what waits for a person, the oldest first."""
    held = col(StoredMessage.reference).is_(None), col(StoredMessage.disposition) != DONE_WITH
    query = select(StoredMessage).where(*held).order_by(col(StoredMessage.n))
    return list(session.exec(query.limit(limit)))


def quarantine(session: Session, most: int) -> int:
    """Count what waits for a person, up to `most`."""
    held = col(StoredMessage.reference).is_(None), col(StoredMessage.disposition) != DONE_WITH
    rows = select(StoredMessage.n).where(*held).limit(most).subquery()
    return session.exec(select(func.count()).select_from(rows)).one()


def continuing(session: Session, message_id: str) -> list[StoredMessage]:
    """Return what continues a message, or words it anew, in the order it was stored."""
    mine = or_(col(StoredMessage.part_of) == message_id, col(StoredMessage.edit_of) == message_id)
    earlier = select(StoredMessage.n).where(col(StoredMessage.id) == message_id).scalar_subquery()
    query = select(StoredMessage).where(mine, col(StoredMessage.n) > earlier, col(StoredMessage.reference).is_(None))
    return list(session.exec(query.order_by(col(StoredMessage.n))))


def promote(
    session: Session, row: StoredMessage, reference: str, now: datetime, *, contact: str, address_id: str
) -> None:
    """A person lets a message out of quarantine into an inquiry. Its reception stays what it was (reading 2)."""
    row.promoted_at, row.reference, row.contact, row.address_id = now, reference, contact, address_id
    chat.place(session, row, reference)
    session.flush()


def drop(session: Session, message_id: str, *, what: str, why: str) -> None:
    """Note that something of a message could not be taken over after all. KeyError when there is no such message."""
    row = get(session, message_id)
    row.dropped = [*row.dropped, {"what": what, "why": why}]
    session.add(row)
    session.flush()


def of_case(session: Session, reference: str) -> list[StoredMessage]:
    """Return a case's messages in the order they were stored."""
    query = select(StoredMessage).where(col(StoredMessage.reference) == reference).order_by(col(StoredMessage.n))
    return list(session.exec(query))


def first_words(session: Session, reference: str) -> str:
    """Return the text of a case's first message, empty where there is none."""
    row = first(session, _FIRST_WORDS, of=reference)
    return str(row.text) if row else ""


def thread(session: Session, reference: str, channel: str) -> list[str]:
    """Return the ids, on this channel, of the messages that a letter to the user answers, the last one its own."""
    row = first(session, _THREAD, of=reference, channel=channel)
    return [*row.references.split(), row.message_id] if row and row.message_id else []


def _get_by_provider(session: Session, channel: str, provider_id: str) -> StoredMessage:
    row = find(session, channel, provider_id)
    if row is None:
        raise LookupError("a message was refused as a double, but the first one is not there")
    return row
