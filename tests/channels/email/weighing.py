"""What a hostile mail costs, measured in a process of its own: `python -m tests.channels.email.weighing NAME [PORT]`.

Without a port the mail comes by Inbound Parse; with one it lies in the folder NAME of the mail server there. Written to
standard output is a JSON object: `mb`, how much the process grew at its peak beyond what had arrived, processor
`seconds`, and what was taken.
"""

import io
import json
import sys
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from channels.email.adapter import INBOUND, MAIL_LIMIT, Email, build
from channels.email.imap import Imap
from channels.email.reading import Limits, Reader
from channels.email.settings import EmailSettings
from channels.port import Limits as Sizes
from channels.port import Post, Surroundings
from models.policy_reading import load_policy
from settings import Settings
from tests.channels.email.servers import PASSWORD, USER

NOW = datetime(2026, 3, 27, 15, 0, tzinfo=UTC)
_FORM = b'--xYzZY\r\nContent-Disposition: form-data; name="email"\r\n\r\n'
_HEAD = (
    b"From: ana@example.net\r\nMessage-ID: <big@example.net>\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n"
    b"--b1\r\nContent-Type: text/plain\r\n\r\nMi retiro no llega\r\n"
)
_FILE = b"--b1\r\nContent-Type: application/pdf; name=x.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
_END = b"\r\n--b1--\r\n"


def _bomb() -> bytes:
    """A small archive that holds a quarter of a gigabyte."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x", "w") as inside:
        for _ in range(256):
            inside.write(bytes(1_000_000))
    return packed.getvalue()


HOSTILE: dict[str, Callable[[], bytes]] = {
    "huge": lambda: _HEAD + _FILE + b"QUJD" * 7_750_000 + _END,
    "beyond": lambda: _HEAD + _FILE + b"QUJD" * 11_250_000 + _END,
    "bomb": lambda: (
        _HEAD + _FILE.replace(b"base64", b"binary") + _bomb().replace(b"\n", b" ").replace(b"\r", b" ") + _END
    ),
    "parts": lambda: _HEAD + (_FILE + b"QUJD\r\n") * 10_001 + _END,
    "files": lambda: _HEAD + (_FILE + b"QUJD" * 7_700 + b"\r\n") * 1_000 + _END,
}
"""31 MB, 45 MB, a zip bomb, more than 10,000 parts, and 1,000 attachments of 31 MB in all."""


def main(name: str, port: int | None) -> dict[str, Any]:
    policy = load_policy(Path("policies/roxom")).intake
    sizes = Sizes(policy.max_mail_bytes, policy.max_mail_parts, policy.max_text_characters, policy.max_attachments)
    around = Surroundings("help@example.org", "Ayuda", sizes, lambda: NOW, Settings())
    task = _by_post(build(around), HOSTILE[name]()) if port is None else _by_imap(sizes, name, port)
    before, began = _peak(anew=True), time.process_time()
    message = task()
    seconds, grown = time.process_time() - began, _peak() - before
    return {
        "mb": grown,
        "seconds": seconds,
        "text": message.text,
        "attachments": len(message.attachments),
        "dropped": [one.what for one in message.dropped],
    }


def _by_post(email: Email, mail: bytes) -> Callable[[], Any]:
    whole = _FORM + mail + b"\r\n--xYzZY--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=xYzZY"}
    post = Post(INBOUND, headers, whole[:MAIL_LIMIT], whole=len(whole) <= MAIL_LIMIT)
    return lambda: email.parse(post, NOW).messages[0]


def _by_imap(sizes: Sizes, folder: str, port: int) -> Callable[[], Any]:
    settings = EmailSettings(
        incoming="imap",
        imap_host="127.0.0.1",
        imap_port=port,
        imap_tls="none",
        imap_user=USER,
        imap_password=SecretStr(PASSWORD),
        imap_folder=folder,
    )
    reader = Reader(limits=Limits(sizes.size, sizes.parts, sizes.text))
    feed = Imap(settings, reader, lambda _: (), lambda: NOW)

    def look() -> Any:
        [message] = feed.look("", lambda _: False, NOW).arrivals.messages
        feed.close()
        return message

    return look


def _peak(*, anew: bool = False) -> float:
    """The most memory this process ever had in RAM, in MB; `anew` counts from now on."""
    if anew:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1_000


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None)))  # noqa: T201 - its result
