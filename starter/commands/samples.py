"""Real complaints to try things with: nine that consumers wrote, from a public-domain database, as e-mails."""

import csv
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Annotated

import typer

from settings import HOUSE

SAMPLES = HOUSE / "policies" / "samples" / "complaints.csv"


@dataclass(frozen=True)
class Sample:
    """One complaint: its number in the database it comes from, its subject and the consumer's own words."""

    number: str
    subject: str
    words: str

    def mail(self, at: datetime) -> bytes:
        """Write it as the e-mail it could have been; the sender's address is one that nobody has."""
        message = EmailMessage()
        message["From"] = f"consumer-{self.number}@example.org"
        message["To"] = "help@example.org"
        message["Subject"] = self.subject
        message["Date"] = format_datetime(at)
        message["Message-ID"] = f"<complaint-{self.number}@example.org>"
        message.set_content(self.words)
        return message.as_bytes()


def samples(path: Path = SAMPLES) -> list[Sample]:
    """Read the shipped complaints, in the file's order."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Sample(row["complaint_id"], f"{row['product']}: {row['issue']}", row["consumer_complaint_narrative"])
            for row in csv.DictReader(file)
        ]


def samples_command(
    folder: Annotated[Path, typer.Argument(help="where to write them; made when it is missing")],
) -> None:
    """Write nine real complaints as .eml files, ready for `plazo send-eml`."""
    folder.mkdir(parents=True, exist_ok=True)
    for sample in samples():
        path = folder / f"{sample.number}.eml"
        path.write_bytes(sample.mail(datetime.now().astimezone()))
        typer.echo(path)
