"""What SendGrid's Inbound Parse posts for a mail, and its signature: pure functions over bytes.

Fields and formats are those of posts captured from the real service: `dkim` looks like JSON and is none, the texts of
default mode stand in the mail's own charset, and default mode sorts the headers.
"""

import base64
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

BOUNDARY = "xYzZY"
USER_AGENT = "Sendlib/1.0"
SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
_ADDRESS = re.compile(r"[^\s<>,;:()\"]+@[^\s<>,;:()\"]+")
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"

Mode = Literal["raw", "default"]


def inbound_body(
    eml: bytes,
    *,
    mode: Mode = "raw",
    envelope_to: Sequence[str] = (),
    envelope_from: str | None = None,
    spf: str = "pass",
    dkim: str | None = None,
    charset: str = "utf-8",
    received_at: datetime | None = None,
    sender_ip: str = "192.0.2.1",
) -> tuple[dict[str, str], bytes]:
    """The headers and body of the post for one mail.

    `envelope_to` and `envelope_from` default to what To and From say, `dkim` to a pass for the envelope's domain.
    `charset` is that of `text` and `html` in default mode. With `received_at` (aware) the mail bears the Received line
    of the provider's mail server on top.
    """
    message = message_from_bytes(eml, policy=default)
    senders, named = _addresses(message, "from"), _addresses(message, "to")
    return_path = (next(iter(senders), "") if envelope_from is None else envelope_from).strip("<>")
    if received_at is not None:
        at = format_datetime(received_at.astimezone(UTC))
        line = f"Received: by mx0001p1mdw1.sendgrid.net with SMTP id mailroom; {at}"
        eml = line.encode() + (b"\r\n" if b"\r\n" in eml[:2000] else b"\n") + eml
        message = message_from_bytes(eml, policy=default)
    text = {name: _header(message, name) for name in ("to", "cc", "from", "subject") if name in message}
    verdict = f"{{@{return_path.rpartition('@')[2] or 'none'} : pass}}" if dkim is None else dkim
    fields: list[tuple[str, bytes]] = [
        ("dkim", verdict.encode()),
        *((name, value.encode()) for name, value in text.items()),
        ("sender_ip", sender_ip.encode()),
        ("envelope", json.dumps({"to": list(envelope_to) or named, "from": return_path}).encode()),
        ("SPF", spf.encode()),
    ]
    charsets = dict.fromkeys(text, "UTF-8")
    files: list[tuple[str, str, str, bytes]] = []
    if mode == "raw":
        fields.insert(1, ("email", eml))
    else:
        parts, files = _taken_apart(message, charset)
        fields += parts
        charsets |= {name: charset for name, _ in parts if name in {"text", "html"}}
    fields.append(("charsets", json.dumps(charsets).encode()))
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "User-Agent": USER_AGENT}
    return headers, _form(fields, files)


def sign(private_key: EllipticCurvePrivateKey, timestamp: int, body: bytes) -> dict[str, str]:
    """The two signature headers for a post at `timestamp` (seconds since 1970): ECDSA over both, raw."""
    stamp = str(timestamp)
    signature = private_key.sign(stamp.encode() + body, ECDSA(SHA256()))
    return {SIGNATURE: base64.b64encode(signature).decode(), TIMESTAMP: stamp}


def basic(secret: str) -> dict[str, str]:
    """The Authorization header that an address of the form `https://sendgrid:SECRET@host/` makes the provider send."""
    return {"Authorization": "Basic " + base64.b64encode(f"sendgrid:{secret}".encode()).decode()}


def _taken_apart(
    message: EmailMessage, charset: str
) -> tuple[list[tuple[str, bytes]], list[tuple[str, str, str, bytes]]]:
    """The fields and files of default mode."""
    block = sorted(f"{name}: {' '.join(value.split())}" for name, value in message.raw_items())
    fields = [("headers", "\n".join(block).encode("utf-8", "surrogateescape"))]
    for name, kind in (("text", "plain"), ("html", "html")):
        body = message.get_body((kind,))
        if body is not None:
            fields.append((name, str(body.get_content()).encode(charset, "replace")))
    files = []
    info: dict[str, dict[str, str]] = {}
    for number, part in enumerate(message.iter_attachments(), 1):
        name = part.get_filename() or ""
        content = part.get_payload(decode=True)
        data = content if isinstance(content, bytes) else part.as_bytes()
        files.append((f"attachment{number}", name, part.get_content_type(), data))
        info[f"attachment{number}"] = {"filename": name, "name": name, "type": part.get_content_type()}
        if part["content-id"]:
            info[f"attachment{number}"]["content-id"] = str(part["content-id"]).strip("<>")
    fields.append(("attachments", str(len(files)).encode()))
    if info:
        fields.append(("attachment-info", json.dumps(info).encode()))
        named = {about["content-id"]: name for name, about in info.items() if "content-id" in about}
        fields.append(("content-ids", json.dumps(named).encode()))
    return fields, files


def _header(message: EmailMessage, name: str) -> str:
    """A header decoded, or as it stands where the library cannot read it."""
    try:
        return str(message.get(name, ""))
    except Exception:  # noqa: BLE001 - the library's header code raises whatever a broken header leads it to
        raw = next((value for header, value in message.raw_items() if header.lower() == name), "")
        return raw.encode("utf-8", "replace").decode()


def _addresses(message: EmailMessage, name: str) -> list[str]:
    return _ADDRESS.findall(_header(message, name)[:10_000])


def _form(fields: list[tuple[str, bytes]], files: list[tuple[str, str, str, bytes]]) -> bytes:
    edge = f"--{BOUNDARY}\r\n".encode()
    out: list[bytes] = []
    for name, value in fields:
        out += [edge, f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode(), value, b"\r\n"]
    for name, filename, content_type, data in files:
        about = f'Content-Disposition: form-data; name="{name}"; filename="{filename.replace(chr(34), "")}"\r\n'
        out += [edge, about.encode(), f"Content-Type: {content_type}\r\n\r\n".encode(), data, b"\r\n"]
    return b"".join([*out, f"--{BOUNDARY}--\r\n".encode()])
