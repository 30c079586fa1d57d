"""SendGrid's checks of a mail/send request, with its own error texts."""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any

_HELP = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html#message."
_ADDRESS = re.compile(r'(?:"[^"\r\n]+"|[^\s@<>"(),:;]+)@[^\s@<>"(),:;]+\.[^\s@<>"(),:;]+')
_RESERVED = {
    *("x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding"),
    *("to", "from", "subject", "reply-to", "cc", "bcc"),
}
_MOST_PERSONALIZATIONS = 1000
_MOST_CATEGORIES = 10
_LONGEST_CATEGORY = 255
_LARGEST_CUSTOM_ARGS = 10_000

_TO_REQUIRED = "The to array is required for all personalization objects, and must have at least one email object."
_SUBJECT_REQUIRED = (
    "The subject is required. You can get around this requirement if you use a template with a subject defined or if"
    " every personalization has a subject defined."
)
_UNIQUE = (
    "Each email address in the personalization block should be unique between to, cc, and bcc. We found the first"
    " duplicate instance of [{address}] in the {field} field."
)

Problem = tuple[str, str]
"""(field, message)"""


def error_body(*problems: tuple[str | None, str]) -> dict[str, Any]:
    """SendGrid's body of a refusal: field and message of each problem, and where to read about it."""
    return {
        "errors": [
            {"message": message, "field": field, "help": None if field is None else _HELP + re.sub(r"\.\d+", "", field)}
            for field, message in problems
        ]
    }


def problems(mail: Any) -> list[Problem]:
    """What is wrong with a request's JSON; empty where SendGrid would accept it."""
    if not isinstance(mail, dict):
        return [("", "Bad Request")]
    return [
        *_personalizations(mail),
        *_sender(mail),
        *_content(mail),
        *_headers(mail),
        *_labels(mail),
        *_attachments(mail),
    ]


def _personalizations(mail: dict[str, Any]) -> Iterator[Problem]:
    given = mail.get("personalizations")
    if not isinstance(given, list) or not given:
        yield "personalizations", "The personalizations field is required and must have at least one personalization."
        return
    if len(given) > _MOST_PERSONALIZATIONS:
        yield "personalizations", "The personalization block is limited to 1000 personalizations per API request."
    for number, one in enumerate(given):
        field = f"personalizations.{number}"
        if not isinstance(one, dict) or not isinstance(one.get("to"), list) or not one["to"]:
            yield (
                f"{field}.to",
                _TO_REQUIRED,
            )
            continue
        yield from _recipients(one, field)
        if not (one.get("subject") or mail.get("subject")):
            yield (
                "subject",
                _SUBJECT_REQUIRED,
            )


def _recipients(one: dict[str, Any], field: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for kind in ("to", "cc", "bcc"):
        boxes = one.get(kind, [])
        for position, box in enumerate(boxes if isinstance(boxes, list) else [boxes]):
            address = _address(box)
            if address is None:
                yield f"{field}.{kind}.{position}.email", "Does not contain a valid address."
            elif address.lower() in seen:
                yield (
                    f"{field}.{kind}",
                    _UNIQUE.format(address=address, field=f"{field}.{kind}"),
                )
            else:
                seen.add(address.lower())


def _sender(mail: dict[str, Any]) -> Iterator[Problem]:
    if _address(mail.get("from")) is None:
        yield "from.email", "The from email does not contain a valid address."
    if mail.get("reply_to") is not None and _address(mail["reply_to"]) is None:
        yield "reply_to.email", "The reply_to email does not contain a valid address."


def _content(mail: dict[str, Any]) -> Iterator[Problem]:
    given = mail.get("content")
    if not isinstance(given, list) or not given:
        yield "content", "Unless a valid template_id is provided, the content parameter is required."
        return
    kinds = []
    for number, one in enumerate(given):
        kind, value = (one.get("type"), one.get("value")) if isinstance(one, dict) else (None, None)
        kinds.append(kind)
        if not isinstance(kind, str) or "/" not in kind:
            yield f"content.{number}.type", "The content type must be a string at least one character in length."
        if not isinstance(value, str) or not value:
            yield f"content.{number}.value", "The content value must be a string at least one character in length."
    if "text/plain" in kinds[1:]:
        yield (
            "content",
            "If present, text/plain and text/html may only be provided once, and text/plain must come first.",
        )
    elif kinds.count("text/html") > 1:
        yield "content", "If present, text/plain and text/html may only be provided once."


def _headers(mail: dict[str, Any]) -> Iterator[Problem]:
    given = mail.get("headers", {})
    if not isinstance(given, dict):
        yield "headers", "The headers must be an object of strings."
        return
    for name, value in given.items():
        if not isinstance(value, str) or re.search(r"[\r\n\x00]", value) or not re.fullmatch(r"[!-9;-~]+", name):
            yield f"headers.{name}", "The header names and values must be strings without line breaks."
        elif name.lower() in _RESERVED:
            yield f"headers.{name}", f"The header {name} is reserved and cannot be used."
        elif name.lower() == "message-id" and not re.fullmatch(r"<[^<>\s@]+@[^<>\s@]+>", value):
            yield f"headers.{name}", "The Message-ID must have the form <id@domain>."


def _labels(mail: dict[str, Any]) -> Iterator[Problem]:
    categories = mail.get("categories", [])
    if not isinstance(categories, list) or len(categories) > _MOST_CATEGORIES:
        yield "categories", "You may only specify up to 10 categories."
    elif any(not isinstance(one, str) or len(one) > _LONGEST_CATEGORY for one in categories):
        yield "categories", "Each category must be a string of at most 255 characters."
    given = mail.get("custom_args", {})
    if not isinstance(given, dict) or any(not isinstance(value, str) for value in given.values()):
        yield "custom_args", "The custom_args values must be strings."
    elif len(json.dumps(given)) > _LARGEST_CUSTOM_ARGS:
        yield "custom_args", "The combined size of custom_args must be less than 10,000 bytes."
    sandbox = mail.get("mail_settings", {})
    enable = sandbox.get("sandbox_mode", {}).get("enable", False) if isinstance(sandbox, dict) else None
    if not isinstance(enable, bool):
        yield "mail_settings.sandbox_mode.enable", "The sandbox_mode enable parameter must be a boolean."


def _attachments(mail: dict[str, Any]) -> Iterator[Problem]:
    given = mail.get("attachments", [])
    for number, one in enumerate(given if isinstance(given, list) else [None]):
        if not isinstance(one, dict) or not isinstance(one.get("filename"), str) or not one["filename"]:
            yield f"attachments.{number}.filename", "The filename of an attachment is required."
            continue
        try:
            base64.b64decode(one.get("content", ""), validate=True)
        except (binascii.Error, TypeError, ValueError):
            yield f"attachments.{number}.content", "The attachment content must be base64 encoded."


def _address(box: Any) -> str | None:
    address = box.get("email") if isinstance(box, dict) else None
    return address if isinstance(address, str) and _ADDRESS.fullmatch(address) else None
