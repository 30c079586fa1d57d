"""Documents: what people wrote for letters, and the files that came with messages."""

import hashlib
import hmac
import json
import os
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from models.errors import RecordsUnavailable, UnknownInquiry
from models.inquiry import Actor
from models.messages import Draft
from models.tables import DraftRow, Salt, StoredAttachment
from records.database import add_once, first
from records.ids import new_id

OPENING = "opening"
"""The kind of draft that holds the words an inquiry was opened with where no message of its own does."""

_SALT = select(Salt.salt).where(col(Salt.reference) == bindparam("of"))
_DRAFT = select(DraftRow.id, DraftRow.reference, DraftRow.kind, DraftRow.content).where(
    col(DraftRow.id) == bindparam("id")
)
_OPENING = select(DraftRow.content).where(col(DraftRow.reference) == bindparam("of"), col(DraftRow.kind) == OPENING)


class DraftContent(NamedTuple):
    """What a person wrote. Personal data."""

    id: str
    reference: str
    kind: str
    content: dict[str, Any]


class Kept(NamedTuple):
    """Where bytes lie: their hash, their place in the store, their size in bytes."""

    sha256: str
    path: str
    size: int


class AttachedFile(Protocol):
    """What is read here of `channels.message.Attachment`."""

    @property
    def filename(self) -> str: ...  # noqa: D102
    @property
    def content_type(self) -> str: ...  # noqa: D102
    @property
    def content(self) -> bytes: ...  # noqa: D102
    @property
    def cid(self) -> str: ...  # noqa: D102


class AttachmentStore(Protocol):
    """Where files are kept, found by what is in them. All raise RecordsUnavailable when the store does not answer."""

    def put(self, content: bytes) -> Kept:
        """Keep bytes durably; the same bytes again cost nothing."""

    def hold(self, kept: Kept, content: bytes) -> None:
        """Keep what `put` kept also where an erasure removed it since: asked in the transaction that names it."""

    def open(self, path: str) -> BinaryIO:
        """Open what `put` kept. KeyError when there is nothing under that path."""

    def remove(self, path: str) -> bool:
        """Give up what `put` kept; False where nothing was there."""


class FolderStore:
    """Files in a local folder, named by their SHA-256: two bytes of it as a folder, then all of it."""

    def __init__(self, folder: Path) -> None:
        """Keep files under `folder`, which is made when missing."""
        self.folder = folder
        self._there: set[Path] = set()
        """Folders whose own names are known to be on disk."""

    def put(self, content: bytes) -> Kept:
        """Keep bytes: written beside, forced to disk, then put in place by a rename."""
        digest = hashlib.sha256(content).hexdigest()
        kept = Kept(digest, f"{digest[:2]}/{digest}", len(content))
        self.hold(kept, content)
        return kept

    def hold(self, kept: Kept, content: bytes) -> None:
        """Keep bytes again unless they are there."""
        place = self._place(kept.path)
        try:
            if not place.exists():
                self._write(place, content)
        except OSError as error:
            raise RecordsUnavailable(f"a file could not be kept: {error.strerror}; ask again later") from None

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading."""
        place = self._place(path)
        try:
            return place.open("rb")
        except FileNotFoundError:
            raise KeyError(f"nothing is kept under {path}") from None
        except OSError as error:
            raise RecordsUnavailable(f"a file could not be read: {error.strerror}; ask again later") from None

    def remove(self, path: str) -> bool:
        """Delete a file."""
        try:
            self._place(path).unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise RecordsUnavailable(f"a file could not be erased: {error.strerror}; ask again later") from None
        return True

    def _place(self, path: str) -> Path:
        digest = path.rpartition("/")[2]
        if path != f"{digest[:2]}/{digest}" or len(digest) != hashlib.sha256().digest_size * 2 or not digest.isalnum():
            raise KeyError(f"{path[:80]!r} is not a path of this store")
        return self.folder / path

    def _write(self, place: Path, content: bytes) -> None:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = place.with_name(f".{place.name}.{secrets.token_hex(8)}")
        try:
            with beside.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(place)
        finally:
            beside.unlink(missing_ok=True)
        # The names are data as well: the file's in its folder, the folder's, once, in ours.
        _to_disk(place.parent)
        if place.parent not in self._there:
            _to_disk(self.folder)
            self._there.add(place.parent)


def _to_disk(folder: Path) -> None:
    """Force the names in a folder to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def attach(session: Session, message_id: str, attachment: AttachedFile, kept: Kept) -> None:
    """Note a file that came with a message and lies in the store already."""
    row = StoredAttachment(
        message=message_id,
        filename=attachment.filename,
        content_type=attachment.content_type,
        cid=attachment.cid,
        size=kept.size,
        sha256=kept.sha256,
        path=kept.path,
    )
    add_once(session, row)


def attachments(session: Session, message_id: str) -> list[StoredAttachment]:
    """Return the files of a message in their order; open one with `files.open(row.path)`."""
    query = select(StoredAttachment).where(col(StoredAttachment.message) == message_id)
    return list(session.exec(query.order_by(col(StoredAttachment.id))))


def attachments_of(session: Session, message_ids: Iterable[str]) -> Mapping[str, list[StoredAttachment]]:
    """Return the files of several messages in their order, by message; none for one that has none."""
    found: defaultdict[str, list[StoredAttachment]] = defaultdict(list)
    query = select(StoredAttachment).where(col(StoredAttachment.message).in_(list(message_ids)))
    for row in session.exec(query.order_by(col(StoredAttachment.id))):
        found[row.message].append(row)
    return found


def save_draft(
    session: Session, reference: str, kind: str, content: Mapping[str, Any], *, author: Actor, now: datetime
) -> Draft:
    """Keep what a person wrote and return what travels of it: id, digest salted with the case's salt, filled parts.

    UnknownInquiry when no case has that reference.
    """
    salt = first(session, _SALT, of=reference)
    if salt is None:
        raise UnknownInquiry(f"{reference}: there is no such inquiry to write for")
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    digest = hmac.new(bytes.fromhex(salt.salt), f"draft\0{kind}\0{canonical}".encode(), hashlib.sha256).hexdigest()
    row = DraftRow(
        id=new_id("dr"),
        reference=reference,
        kind=kind,
        content=json.loads(canonical),
        digest=digest,
        author=author.id,
        created_at=now,
    )
    add_once(session, row)
    return Draft(id=row.id, digest=digest, filled=filled(content))


def draft(session: Session, draft_id: str) -> DraftContent:
    """Return what a person wrote. KeyError when there is no such draft."""
    row = first(session, _DRAFT, id=draft_id)
    if row is None:
        raise KeyError(f"no draft has the id {draft_id}")
    return DraftContent(row.id, row.reference, row.kind, row.content)


def opening_words(session: Session, reference: str) -> str:
    """Return the words that an inquiry was opened with; empty where a message of its own holds them."""
    row = first(session, _OPENING, of=reference)
    return str(row.content.get("text", "")) if row else ""


def filled(content: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the parts of a draft that really say something, in their order.

    A text of blanks says nothing, a list needs one entry and nothing empty among its entries; every entry of `points`
    needs its `point` and its `answer`, and every item of a request its `item` and its `why`.
    """
    return tuple(name for name, value in content.items() if _says(value, PARTS.get(name, ())))


PARTS = {"points": ("point", "answer"), "items": ("item", "why"), "remedy": ("what",)}
"""The fields without which an entry of such a part says nothing."""


def _says(value: object, needed: tuple[str, ...] = ()) -> bool:
    match value:
        case str():
            return bool(value.strip())
        case list() | tuple():
            return bool(value) and all(_says(entry, needed) for entry in value)
        case Mapping() if needed:
            return all(_says(value.get(name)) for name in needed)
        case Mapping():
            return any(_says(entry) for entry in value.values())
        case _:
            return value is not None
