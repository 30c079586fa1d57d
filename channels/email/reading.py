"""E-mail in: a mail itself, or as SendGrid's Inbound Parse posts it, raw (the mail in one field) or taken apart."""

import hashlib
import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from channels.email.automatic import Own, disposition
from channels.email.content import Content, from_files, from_leaves, json_object
from channels.email.form import Form, read_form
from channels.email.headers import Headers, mailboxes
from channels.email.mime import Mail, take_apart
from channels.email.origin import received, vouched_for
from channels.email.quoting import cut_quoted
from channels.email.vouching import Word, word_of
from channels.guess import kind_of, language_of
from channels.message import FORGED, Dropped, InboundMessage
from channels.text import decode, one_line
from models.errors import UnreadableMessage
from models.inquiry import EMAIL

_REFERENCE = re.compile(r"\b[A-Z]{1,6}-[A-Z0-9]{4}-[A-Z0-9]{4}\b")
_PLUS = re.compile(r"\+([^@+\s]{1,120})@")
_MOST_REFERENCES = 20
"""The first, which began the conversation, and the newest: each costs a look-up when the message is placed."""
_MOST_TOKENS = 20
_ONLY_TAKEN_APART = frozenset({"headers", "text", "html"})
_WITHOUT_FILES = Dropped(what="attachments", why="the mail is over the limits of size or parts")


@dataclass(frozen=True, slots=True)
class Limits:
    """Beyond `size` (bytes of the post) or `parts` a mail is taken without its attachments; `text` is in characters."""

    size: int = 30_000_000
    parts: int = 1_000
    text: int = 1_000_000
    oldest: timedelta = timedelta(days=30)
    """A trusted Received line older than this is not believed."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads mails, and posts of Inbound Parse.

    `trusted` are the domains of mail servers whose word is believed (reading 2); `own` tells loops.
    """

    own: Own = field(default_factory=Own)
    trusted: tuple[str, ...] = ("sendgrid.net",)
    limits: Limits = field(default_factory=Limits)

    def read(self, content_type: str, body: bytes, stored_at: datetime, *, whole: bool = True) -> InboundMessage:
        """The message in a post, received at the trusted server's time or else at `stored_at` (aware).

        A post that was cut off is not `whole`, and taken without its attachments. Raises UnreadableMessage where it is
        no form or holds no mail; whatever else is wrong is borne.
        """
        form = read_form(content_type, body, whole=whole)
        if "email" in form.fields:
            if not _ONLY_TAKEN_APART.isdisjoint(form.fields):
                form = replace(form, sound=False)
            return self._read_raw(form, stored_at)
        if "headers" in form.fields or "from" in form.fields:
            return self._read_default(form, stored_at)
        raise UnreadableMessage(
            "the post holds neither a field `email` (raw mode) nor `headers` or `from` (default mode)"
        )

    def read_mail(self, mail: bytes, arrived_at: datetime, *, whole: bool = True) -> InboundMessage:
        """The message in a mail (RFC 5322) that our own mail server got at `arrived_at` (aware). Never raises.

        Believed are that time, the trusted server's Received line and its Authentication-Results. Where it is not
        `whole` it was over the limits, and only its beginning is here.
        """
        apart = take_apart(mail, self.limits.parts)
        content = self._content(mail, apart, too_big=not whole or len(mail) > self.limits.size)
        received_at = received(apart.headers, arrived_at, self.trusted, self.limits.oldest)
        found = _Found(apart.headers, content, received_at, hashlib.sha256(mail).hexdigest(), mail)
        return self._message(word_of(apart.headers, self.trusted), found)

    def _read_raw(self, form: Form, stored_at: datetime) -> InboundMessage:
        mail = form.content("email") or b""
        apart = take_apart(mail, self.limits.parts)
        content = self._content(mail, apart, too_big=form.cut or len(form.body) > self.limits.size)
        believed = form.sound and not form.cut
        received_at = received(apart.headers, stored_at, self.trusted, self.limits.oldest) if believed else stored_at
        digest = hashlib.sha256(mail).hexdigest()
        return self._message(_posted(form), _Found(apart.headers, content, received_at, digest, mail))

    def _content(self, mail: bytes, apart: Mail, *, too_big: bool) -> Content:
        without_files = too_big or not apart.complete
        content = from_leaves(mail, apart, self.limits.text, without_files=without_files)
        if without_files:
            content.dropped.append(_WITHOUT_FILES)
        return content

    def _read_default(self, form: Form, stored_at: datetime) -> InboundMessage:
        charsets = json_object(form.content("charsets", 10_000))
        block = form.content("headers", 256 * 1024)
        if block is None:
            block = b"\n".join(
                name.encode() + b": " + (form.content(name, 4_000) or b"").replace(b"\r", b" ").replace(b"\n", b" ")
                for name in ("from", "to", "cc", "subject")
            )
        content = Content()
        most = self.limits.text * 4 + 4
        for name, into in (("text", content.texts), ("html", content.markup)):
            if (value := form.content(name, most)) is not None:
                into.append(decode(value, str(charsets.get(name, ""))))
        too_big = len(form.body) > self.limits.size or not form.complete
        if too_big:
            content.dropped.append(_WITHOUT_FILES)
        else:
            from_files(form, content)
        # The headers come sorted here, so the topmost Received line is nobody's; the fields may come in any order.
        return self._message(_posted(form), _Found(Headers(block), content, stored_at, form.digest(), form.body))

    def _message(self, word: Word, found: "_Found") -> InboundMessage:
        headers, content = found.headers, found.content
        senders, replies = headers.addresses("from"), headers.addresses("reply-to")
        sender, name = next(iter([*senders, *replies]), ("", ""))
        reply_to = replies[0][0] if replies and replies[0][0].lower() != sender.lower() else ""
        named = [address for kind in ("to", "cc") for address, _ in headers.addresses(kind)]
        reached = [address for one in word.reached for address, _ in mailboxes(one)]
        references = headers.message_ids("references")
        tokens = dict.fromkeys(token for one in [*word.reached, *named] for token in _PLUS.findall(one))
        full_text = content.text(self.limits.text)
        text = cut_quoted(full_text)
        subject = one_line(headers.text("subject"))
        message_id = next(iter(headers.message_ids("message-id")), "")
        state, reason = disposition(headers, sender, word.return_path, self.own)
        verified = len(senders) == 1 and vouched_for(sender, word.return_path or "", word.spf, word.dkim)
        return InboundMessage(
            channel=EMAIL,
            provider_id=message_id or f"sha256:{found.digest}",
            received_at=found.received_at,
            sender=sender,
            sender_name=name,
            sender_verified=verified,
            bound=verified,
            reply_to=reply_to,
            recipients=tuple(dict.fromkeys([*reached, *named])),
            subject=subject,
            text=text,
            full_text=full_text,
            html=content.html(),
            attachments=tuple(content.attachments),
            message_id=message_id,
            in_reply_to=next(iter(headers.message_ids("in-reply-to")), ""),
            references=references if len(references) <= _MOST_REFERENCES else _ends(references),
            tokens=tuple(tokens)[:_MOST_TOKENS],
            subject_references=tuple(dict.fromkeys(_REFERENCE.findall(subject.upper()))),
            disposition=state,
            disposition_reason=reason,
            language=language_of(f"{subject}\n{text}"),
            kind=kind_of(f"{subject}\n{text}"),
            spf=word.spf,
            dkim=word.dkim,
            dropped=tuple(content.dropped),
            raw_sha256=hashlib.sha256(found.raw).hexdigest(),
            raw=found.raw,
        )


@dataclass(frozen=True, slots=True)
class _Found:
    """What either mode finds in a post. `digest` is the same for every delivery of one mail."""

    headers: Headers
    content: Content
    received_at: datetime
    digest: str
    raw: bytes


def _posted(form: Form) -> Word:
    """What SendGrid says of a mail in its post."""
    envelope = json_object(form.content("envelope", 100_000))
    reached = tuple(one for one in _strings(envelope.get("to")) if "@" in one)
    return_path = next(iter(_strings([envelope.get("from")])), None)
    if not form.sound:
        return Word(reached, return_path, FORGED, FORGED)
    if form.cut:
        return Word(reached, return_path)
    spf, dkim = (one_line(decode(form.content(part, 2_000) or b"")) for part in ("SPF", "dkim"))
    return Word(reached, return_path, spf, dkim)


def _ends(references: tuple[str, ...]) -> tuple[str, ...]:
    return (references[0], *references[1 - _MOST_REFERENCES :])


def _strings(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)][:100] if isinstance(value, list) else []
