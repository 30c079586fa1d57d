"""A mail as people write it and programs answer it, by whichever way it comes."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from email.utils import format_datetime
from typing import Any, ClassVar

from channels.email.adapter import INBOUND
from channels.message import InboundMessage
from channels.port import Post
from counterparts.inbound_parse import inbound_body
from tests.channels.contract.specimen import Point, Said, Specimen

REPLY_SECRET = "reply-secret-of-the-tests"
HOUSE = {
    "PLAZO_MAIL_DOMAIN": "mail.example.net",
    "PLAZO_REPLY_DOMAIN": "reply.example.net",
    "PLAZO_REPLY_SECRET": REPLY_SECRET,
}
A_MAIL_IS_WHOLE = "a mail is one part, however long"


class Mail(Specimen):
    """What both ways have in common."""

    channel = "email"
    excused: ClassVar[Mapping[Point, str]] = {
        Point.SHAKE: "SendGrid tries no door before it posts there",
        Point.PARTS: A_MAIL_IS_WHOLE,
        Point.PUBLIC: "a mail goes to one mailbox",
        Point.GREET: "nobody opens a mail without sending it",
        Point.FILES: "a mail brings its files along",
        Point.LINK: "a code is written into a mail",
    }
    someone = "ana@example.org"

    def __init__(self) -> None:
        self.people = 0

    def person(self) -> str:
        self.people += 1
        return f"ana.{self.people}@example.org"

    def post(self, mail: bytes, at: datetime | None = None, **more: Any) -> Post:
        headers, body = inbound_body(mail, received_at=at, **more)
        return Post(INBOUND, {name.lower(): value for name, value in headers.items()}, body)

    def written(self, said: Said) -> EmailMessage:
        mail = EmailMessage(policy=SMTP)
        mail["From"] = f"{said.name} <{said.sender}>"
        mail["To"] = "help@example.org"
        mail["Subject"] = "Retiro"
        mail["Message-ID"] = f"<m{said.n}@example.org>"
        # Sent long before, as its sender says: no word of theirs tells when it came.
        mail["Date"] = format_datetime(said.at - timedelta(days=400))
        mail.set_content(said.text, cte="base64")
        return mail

    def answering(self, letter: Mapping[str, str]) -> bytes:
        """An answer to a letter, as a mail program writes it."""
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"] = letter["To"], letter["Reply-To"]
        mail["Subject"] = f"Re: {letter['Subject']}"
        mail["Message-ID"] = f"<answer.to.{letter['Message-ID'].strip('<>')}>"
        mail["In-Reply-To"] = mail["References"] = letter["Message-ID"]
        mail.set_content("Gracias")
        return mail.as_bytes()

    def read(self, post: Post, now: datetime) -> InboundMessage:
        [message] = self.adapter.parse(post, now).messages
        return message


def headers_of(mail: bytes) -> Mapping[str, str]:
    """A mail's headers, each on one line."""
    return {name: " ".join(str(value).split()) for name, value in message_from_bytes(mail, policy=default).items()}
