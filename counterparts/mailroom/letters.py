"""A letter the mailroom accepted, and the mail it leaves as."""

import base64
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Letter:
    """One personalization of an accepted request. `accepted_at` is aware UTC; `request` the request as it came."""

    id: str
    accepted_at: datetime
    request: dict[str, Any]
    number: int = 0
    """Which of the request's personalizations this is."""

    @property
    def personalization(self) -> dict[str, Any]:
        """Whom it goes to, and what is theirs alone."""
        found: dict[str, Any] = self.request["personalizations"][self.number]
        return found

    @property
    def to(self) -> list[str]:
        """The addresses in To."""
        return [one["email"] for one in self.personalization["to"]]

    @property
    def subject(self) -> str:
        """The subject."""
        return str(self.personalization.get("subject") or self.request.get("subject") or "")

    @property
    def headers(self) -> dict[str, str]:
        """The headers the request gives."""
        return {**self.request.get("headers", {}), **self.personalization.get("headers", {})}

    @property
    def message_id(self) -> str:
        """The Message-ID in angle brackets: the request's own, else one made of the letter's id."""
        given = next((value for name, value in self.headers.items() if name.lower() == "message-id"), "")
        return given or f"<{self.id}@geopod-ismtpd-mailroom>"

    @property
    def custom_args(self) -> dict[str, str]:
        """The custom arguments, which come back in every event."""
        return {**self.request.get("custom_args", {}), **self.personalization.get("custom_args", {})}

    @property
    def notice(self) -> str:
        """The notice key: custom argument `notice`, or empty."""
        return str(self.custom_args.get("notice", ""))

    def part(self, kind: str) -> str | None:
        """The content of media type `kind`, or None."""
        return next((one["value"] for one in self.request["content"] if one["type"] == kind), None)

    def eml(self) -> bytes:
        """The mail as it leaves: the same bytes every time."""
        mail = EmailMessage(policy=SMTP)
        mail["From"] = _mailbox(self.request["from"])
        mail["To"] = ", ".join(_mailbox(one) for one in self.personalization["to"])
        for name in ("cc", "reply_to"):
            given = self.personalization.get(name) or self.request.get(name)
            if given:
                boxes = given if isinstance(given, list) else [given]
                mail[name.replace("_", "-").title()] = ", ".join(_mailbox(one) for one in boxes)
        mail["Subject"] = self.subject
        mail["Date"] = format_datetime(self.accepted_at)
        mail["Message-ID"] = self.message_id
        for name, value in self.headers.items():
            if name.lower() != "message-id":
                mail[name] = value
        contents = self.request["content"]
        mail.set_content(contents[0]["value"], subtype=contents[0]["type"].partition("/")[2])
        for other in contents[1:]:
            mail.add_alternative(other["value"], subtype=other["type"].partition("/")[2])
        for attached in self.request.get("attachments", []):
            main, _, sub = str(attached.get("type") or "application/octet-stream").partition("/")
            data = base64.b64decode(attached["content"])
            mail.add_attachment(data, maintype=main, subtype=sub or "octet-stream", filename=attached["filename"])
        for number, part in enumerate(one for one in mail.walk() if one.is_multipart()):
            part.set_boundary(f"{self.id}.{number}")
        return mail.as_bytes()


def _mailbox(box: dict[str, str]) -> str:
    address = box["email"]
    try:
        return str(Address(box.get("name") or "", addr_spec=address))
    except ValueError:
        return address
