"""What a person wrote and gave, replaced in every table by a tombstone, and their files deleted.

A tombstone is the text's digest, salted with the case's salt: whoever has a copy can show that it is the same, and
nobody else can tell what stood there. An address leaves no digest, since one is soon guessed. Dates, codes, the chain
and who did what stay. Everything here may be done twice; the second time there is nothing left to do.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Text, cast, delete, func, update
from sqlmodel import Session, SQLModel, col, or_, select

from models.case import Case
from models.erasing import Wiped
from models.inquiry import Flag
from models.ledger import text_digest
from models.tables import (
    CaseRow,
    ChatEvent,
    ChatSession,
    Contact,
    ContactAddress,
    Dispatch,
    DraftRow,
    EventText,
    IncidentComment,
    IncidentRow,
    IncidentWord,
    Notice,
    NoticeEvent,
    NoticePart,
    RemoteFile,
    StoredAnswer,
    StoredAttachment,
    StoredMessage,
    VerdictRow,
)
from records import chat
from records.documents import AttachmentStore

TOMBSTONE = re.compile(r"\[erased [0-9a-f]{64}\]")
ERASED_ADDRESS = "erased"

MESSAGE_TEXTS = ("sender", "sender_name", "subject", "text", "full_text", "html")
NOTICE_TEXTS = ("subject", "text", "html", "full_text", "full_html")
CHAT_TEXTS = ("subject", "text", "html")


def wipe(session: Session, case: Case, files: AttachmentStore, now: datetime) -> Wiped:
    """Erase all that one case's person wrote and gave, and say how much it was.

    Their addresses go unless another inquiry of theirs needs them. Files that another message shares stay.
    """
    eraser = _Eraser(session, case)
    gone = eraser.messages(files)
    eraser.letters()
    eraser.drafts()
    eraser.beside()
    addresses = eraser.addresses()
    session.flush()
    return Wiped(at=now, texts=eraser.texts, files=gone, addresses=addresses)


def is_erased(message: StoredMessage) -> bool:
    """Say whether a message's words were taken away."""
    return message.provider_id == f"{ERASED_ADDRESS}/{message.id}"


class _Eraser:
    """Works through the tables of one case and counts the texts that it takes away."""

    def __init__(self, session: Session, case: Case) -> None:
        self._session, self._case, self._of = session, case, case.reference
        self.texts = 0

    def messages(self, files: AttachmentStore) -> int:
        """The messages, and their files; return how many files were deleted."""
        rows = list(self._session.exec(select(StoredMessage).where(col(StoredMessage.reference) == self._of)))
        ids = [row.id for row in rows]
        paths = {row.raw_path for row in rows}
        for row in rows:
            # Let out of quarantine while it was written down, it lies in the chat's book without its inquiry.
            chat.place(self._session, row, self._of)
            self._bury(row, MESSAGE_TEXTS)
            row.provider_id = f"{ERASED_ADDRESS}/{row.id}"
            row.message_id = row.in_reply_to = row.references = row.public_place = ""
            row.dropped = []
        for file in self._session.exec(select(StoredAttachment).where(col(StoredAttachment.message).in_(ids))):
            self._bury(file, ("filename",))
            file.cid = ""
            paths.add(file.path)
        self._set(update(RemoteFile).where(col(RemoteFile.message).in_(ids)), filename="", remote_id="")
        self._session.flush()
        alone = [path for path in sorted(paths) if not self._shared(path, ids)]
        # Before the commit: were it after, a crash between would leave files that no row names any more.
        return sum(files.remove(path) for path in alone)

    def letters(self) -> None:
        """The letters as they left, but for those whose words the operator must keep, and what providers said."""
        kept = {kind.value for kind in self._case.terms.erasure_keeps}
        keys = []
        for row in self._session.exec(select(Notice).where(col(Notice.reference) == self._of)):
            keys.append(row.key)
            if row.kind not in kept:
                self._bury(row, NOTICE_TEXTS)
        self._set(update(NoticeEvent).where(col(NoticeEvent.notice).in_(keys)), reason="")
        self._set(update(NoticePart).where(col(NoticePart.notice).in_(keys)), provider_id="")

    def drafts(self) -> None:
        """What colleagues wrote; the digest that the chain knows stands in its place."""
        for row in self._session.exec(select(DraftRow).where(col(DraftRow.reference) == self._of)):
            if row.content != {"erased": row.digest}:
                row.content = {"erased": row.digest}
                self.texts += 1
                self._session.add(row)

    def beside(self) -> None:
        """The chain's texts, what lists and searches show, orders and answers kept, comments, and the chat's book."""
        self.texts += self._do(delete(EventText).where(col(EventText.reference) == self._of))
        empty = {"subject": "", "excerpt": "", "search": self._of.casefold()}
        self._set(update(CaseRow).where(col(CaseRow.reference) == self._of), **empty)
        done = col(Dispatch.reference) == self._of, col(Dispatch.done_at).is_not(None)
        self._set(update(Dispatch).where(*done), payload={})
        self._do(delete(StoredAnswer).where(cast(col(StoredAnswer.body), Text).contains(self._of, autoescape=True)))
        self._set(update(VerdictRow).where(col(VerdictRow.reference) == self._of), remarks={})
        ours = select(IncidentRow.key).where(col(IncidentRow.reference) == self._of)
        for comment in self._session.exec(select(IncidentComment).where(col(IncidentComment.incident).in_(ours))):
            self._bury(comment, ("text",))
        self._set(update(IncidentWord).where(col(IncidentWord.incident).in_(ours)), words="")
        visits = set()
        for event in self._session.exec(select(ChatEvent).where(col(ChatEvent.reference) == self._of)):
            self._bury(event, CHAT_TEXTS)
            event.attachments = []
            visits.add(event.session)
        self._forget_visitors(visits)

    def addresses(self) -> tuple[str, ...]:
        """The person's addresses, and a representative's, unless another inquiry of theirs is not erased."""
        known = [one.id for one in self._case.addresses]
        if self._case.representative:
            known.append(self._case.representative.address.id)
        theirs = or_(col(ContactAddress.id).in_(known), col(ContactAddress.contact) == self._case.contact)
        gone = []
        for row in self._session.exec(select(ContactAddress).where(theirs).order_by(col(ContactAddress.id))):
            if self._needed(row.contact):
                continue
            row.value = row.folded = f"{ERASED_ADDRESS}/{row.id}"
            row.name = ""
            self._session.add(row)
            self._set(update(Contact).where(col(Contact.id) == row.contact), account=None)
            gone.append(row.id)
        return tuple(gone)

    def _forget_visitors(self, visits: Iterable[str]) -> None:
        """Whoever chatted about nothing else."""
        for visit in visits:
            others = col(ChatEvent.session) == visit, col(ChatEvent.reference).not_in(["", self._of])
            if self._count(ChatEvent, *others) == 0:
                self._set(update(ChatSession).where(col(ChatSession.id) == visit), email="", name="", account="")

    def _needed(self, contact: str) -> bool:
        erased = col(CaseRow.flags).contains(Flag.ERASED.value)
        return self._count(CaseRow, col(CaseRow.contact) == contact, col(CaseRow.reference) != self._of, ~erased) > 0

    def _shared(self, path: str, ids: list[str]) -> bool:
        raw = self._count(StoredMessage, col(StoredMessage.raw_path) == path, col(StoredMessage.id).not_in(ids))
        attached = col(StoredAttachment.path) == path, col(StoredAttachment.message).not_in(ids)
        return raw + self._count(StoredAttachment, *attached) > 0

    def _bury(self, row: SQLModel, names: Iterable[str]) -> None:
        for name, text in self._alive(row, names):
            setattr(row, name, f"[erased {text_digest(self._case.salt, 0, name, text)}]")
            self.texts += 1
        self._session.add(row)

    @staticmethod
    def _alive(row: SQLModel, names: Iterable[str]) -> Iterator[tuple[str, str]]:
        for name in names:
            text = getattr(row, name)
            if text and not TOMBSTONE.fullmatch(text):
                yield name, text

    def _count(self, table: type[SQLModel], *where: Any) -> int:
        counting = select(func.count()).select_from(table).where(*where)
        return int(self._session.connection().execute(counting).scalar_one())

    def _set(self, statement: Any, **values: Any) -> None:
        self._do(statement.values(**values))

    def _do(self, statement: Any) -> int:
        self._session.flush()
        return int(self._session.connection().execute(statement).rowcount)
