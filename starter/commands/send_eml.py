"""`plazo send-eml`: post a mail to the running intake the way SendGrid's Inbound Parse would.

For development and demonstrations: it uses the local stand-in for SendGrid, which a production image does not carry.
"""

import json
import time
from datetime import UTC, datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, default
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx2
import typer

from models.errors import SettingsError, UnreadableMessage
from settings import Settings, load_settings

REFUSED, BAD_FILE, UNREACHABLE = 1, 2, 3
"""Exit codes; 0 means that the intake took the mail."""

LARGEST = 30 * 1024 * 1024
_TIMEOUT_SECONDS = 30


class Mode(StrEnum):
    """How Inbound Parse is set up: to post the whole mail, or the mail taken apart."""

    RAW = "raw"
    DEFAULT = "default"


def send_eml_command(
    file: Annotated[Path, typer.Argument(help="A mail (.eml), or a plain text that becomes one.")],
    mode: Annotated[Mode, typer.Option(help="The whole mail, or taken apart.")] = Mode.RAW,
    to: Annotated[str | None, typer.Option(help="The address it arrived at; default: what its To says.")] = None,
    sender: Annotated[
        str, typer.Option("--from", help="Who wrote it, if the file is a plain text.")
    ] = "ana@example.org",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the intake's answer as JSON.")] = False,
) -> None:
    """Post a mail to the running intake, as the e-mail provider would.

    Exit codes: 0 taken, 1 refused, 2 bad file or settings, 3 the intake is not running.
    """
    try:
        settings = load_settings()
        eml = read_mail(file, sender=sender, to=to or f"help@{settings.mail_domain}")
        answer = post_mail(settings, eml, mode=mode.value, to=to)
    except (UnreadableMessage, SettingsError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(BAD_FILE) from None
    except httpx2.HTTPError as error:
        typer.echo(f"the intake cannot be reached ({type(error).__name__}); is `make run` up?", err=True)
        raise typer.Exit(UNREACHABLE) from None
    said = _object(answer)
    said = next(iter(said.get("messages") or ()), said)
    if as_json:
        typer.echo(json.dumps({"status": answer.status_code, **said}, ensure_ascii=False))
    elif answer.is_success:
        typer.echo(_taken(said))
    if not answer.is_success:
        if not as_json:
            typer.echo(f"refused with {answer.status_code}: {said.get('detail') or answer.text[:500]}", err=True)
        raise typer.Exit(REFUSED)


def read_mail(file: Path, *, sender: str, to: str) -> bytes:
    """The mail in a file; a text without a From header becomes the body of one. Raises UnreadableMessage."""
    try:
        if file.stat().st_size > LARGEST:
            raise UnreadableMessage(f"{file} is larger than the 30 MB that the provider takes")
        content = file.read_bytes()
    except OSError as error:
        raise UnreadableMessage(f"{file} cannot be read: {error.strerror}") from None
    if not content.strip():
        raise UnreadableMessage(f"{file} is empty")
    if message_from_bytes(content, policy=default).get("from"):
        return content
    try:
        text = content.decode("utf-8")
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"] = Address(addr_spec=sender), Address(addr_spec=to)
        mail["Subject"] = " ".join(text.strip().partition("\n")[0].split())[:100]
        mail.set_content(text)
    except UnicodeDecodeError:
        raise UnreadableMessage(f"{file} is neither a mail with a From header nor a text in UTF-8") from None
    except (ValueError, IndexError) as error:
        raise UnreadableMessage(f"{file} cannot be made a mail: {error}") from None
    return mail.as_bytes()


def post_mail(
    settings: Settings, eml: bytes, *, mode: Literal["raw", "default"] = "raw", to: str | None = None
) -> httpx2.Response:
    """Post a mail to the intake of this machine, signed and with the shared secret. Raises httpx2.HTTPError."""
    try:
        from counterparts.inbound_parse import basic, inbound_body, sign  # noqa: PLC0415 - not there in production
        from counterparts.mailroom.keys import mailroom_private_key  # noqa: PLC0415 - as above
    except ModuleNotFoundError:
        raise SettingsError("the local stand-ins are not installed here; run this from the project's folder") from None
    headers, body = inbound_body(eml, mode=mode, envelope_to=[to] if to else (), received_at=datetime.now(UTC))
    if settings.inbound_secret is not None:
        headers |= basic(settings.inbound_secret.get_secret_value())
    headers |= sign(mailroom_private_key(settings.var / "mailroom"), int(time.time()), body)
    url = f"http://127.0.0.1:{settings.web_port}/intake/email/inbound"
    return httpx2.post(url, content=body, headers=headers, timeout=_TIMEOUT_SECONDS)


def _object(answer: httpx2.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _taken(said: dict[str, Any]) -> str:
    if not said.get("reference"):
        return f"taken, and kept for a person to look at ({said.get('disposition', 'no reference')})"
    became = "was here before as part of" if said.get("duplicate") else "opened" if said.get("new") else "was added to"
    lines = [f"{became} {said['reference']}"]
    if said.get("acknowledge_by"):
        lines.append(f"acknowledgement due by {said['acknowledge_by']}")
    if said.get("answer_by"):
        lines.append(f"answer due by          {said['answer_by']}")
    return "\n".join(lines)
