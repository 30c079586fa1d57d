"""What Telegram's answers mean. A refusal says why in `description`, which is told without ids, names or the token."""

import re
from http import HTTPStatus
from typing import Any

import httpx2

from channels.telegram.fields import Object, number, obj, said
from models.errors import ChannelError, OperatorError, RecipientError, TransientError, UnknownOutcome

_PERSONAL = re.compile(r"[0-9]+:[\w-]+|@\w+|[0-9]{5,}")
_GONE = re.compile(r"chat not found|user not found|PEER_ID_INVALID|upgraded to a supergroup", re.IGNORECASE)
"""What a 400 says of a chat that will never take a message."""
_FILE_GONE = re.compile(r"file is too big|invalid file_id|wrong file", re.IGNORECASE)
_LONGEST_WAIT = 86_400


def result(answer: httpx2.Response) -> Any:
    """What a method returned. Raises ChannelError by the kind of refusal."""
    try:
        body = obj(answer.json())
    except (ValueError, RecursionError):
        body = {}
    if answer.is_success and body.get("ok") is True and "result" in body:
        return body["result"]
    raise refusal(answer.status_code, body)


def refusal(status: int, body: Object) -> ChannelError:
    """The class of an answer that is no result."""
    said_why = _PERSONAL.sub("<>", said(body.get("description")))
    detail = f"Telegram answered {status}: {said_why}".removesuffix(": ")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        wait = number(obj(body.get("parameters")).get("retry_after"))
        return TransientError(detail, retry_after=None if wait is None else float(min(max(wait, 0), _LONGEST_WAIT)))
    if status == HTTPStatus.FORBIDDEN or (status == HTTPStatus.BAD_REQUEST and _GONE.search(said_why)):
        return RecipientError(detail)
    if status == HTTPStatus.CONFLICT:
        return _conflict(said_why)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND}:
        return OperatorError(
            f"{detail}; is PLAZO_TELEGRAM_TOKEN the bot's present token, and PLAZO_TELEGRAM_HOST right?"
        )
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # It may have been done all the same.
        return UnknownOutcome(detail)
    return OperatorError(detail)


def of_file(error: OperatorError) -> ChannelError:
    """What a refusal of `getFile` means for the file; Telegram says of another bot's id that it may be had later."""
    if "temporarily" in error.detail:
        return TransientError(error.detail)
    return RecipientError(error.detail) if _FILE_GONE.search(error.detail) else error


def _conflict(said_why: str) -> ChannelError:
    if "webhook" in said_why:
        return OperatorError(
            "Telegram answered 409: a webhook is set, so it hands out no updates to whoever asks;"
            " take the webhook off with deleteWebhook, or set PLAZO_TELEGRAM_MODE=webhook"
        )
    return TransientError(
        "Telegram answered 409: another process asks for this bot's updates; let one process alone do it"
    )
