"""Letters out: a message of the bot, a few of them where one is too short, a document where a few are."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from channels.letter import Accepted, OutboundLetter
from channels.port import Parts
from channels.telegram.bot import Bot
from channels.telegram.fields import number, obj
from channels.telegram.splitting import split
from models.errors import OperatorError, RecipientError, UnknownOutcome

MOST_PARTS = 5
"""Messages a letter is split into; a longer one is a document."""

_CHAT = re.compile(r"-?[0-9]{1,19}")
_PLACE = re.compile(r"(-?[0-9]{1,19})/([0-9]{1,19})")
_NOT_FOR_NAMES = re.compile(r"[^A-Za-z0-9]+")


class TelegramSender:
    """Sends letters as the bot. Safe to use from several threads; `clock` gives aware UTC."""

    def __init__(self, bot: Bot, clock: Callable[[], datetime]) -> None:
        self._bot, self._clock = bot, clock

    def send(self, letter: OutboundLetter, parts: Parts) -> Accepted:
        """Send what Telegram has not taken of a letter yet.

        Raises RecipientError, OperatorError, TransientError (surely not accepted) or UnknownOutcome (perhaps accepted).
        """
        chat, answered = _target(letter)
        texts = split(letter.text)
        if not texts:
            raise OperatorError("the letter has no text; mend its template")
        if len(texts) > MOST_PARTS:
            if not parts.taken:
                parts.take(self._document(letter, chat, answered))
        else:
            for text in texts[len(parts.taken) :]:
                parts.take(self._message(text, chat, None if parts.taken else answered))
        return Accepted(provider_id=parts.taken[0], at=self._clock())

    def say(self, chat: str, text: str) -> None:
        """Send a short text that is no letter. Raises ChannelError."""
        self._message(text, _chat(chat), None)

    def _message(self, text: str, chat: int, answered: int | None) -> str:
        arguments: dict[str, Any] = {"chat_id": chat, "text": text, "link_preview_options": {"is_disabled": True}}
        if answered is not None:
            arguments["reply_parameters"] = _reply(answered)
        return _id(chat, self._bot.do("sendMessage", arguments))

    def _document(self, letter: OutboundLetter, chat: int, answered: int | None) -> str:
        arguments: dict[str, Any] = {"chat_id": str(chat), "caption": letter.subject}
        if answered is not None:
            arguments["reply_parameters"] = (
                f'{{"message_id": {answered}, "allow_sending_without_reply": true}}'  # a form's fields are texts
            )
        name = f"{_NOT_FOR_NAMES.sub('-', letter.notice).strip('-')}.txt"
        # Viewers of text on telephones take a file without the mark for something else than UTF-8.
        file = (name, letter.text.encode("utf-8-sig"), "text/plain; charset=utf-8")
        return _id(chat, self._bot.do("sendDocument", arguments, files={"document": file}))


def _target(letter: OutboundLetter) -> tuple[int, int | None]:
    """The chat that a letter goes to, and the message there that it answers."""
    if letter.public:
        place = _PLACE.fullmatch(letter.to)
        if place is None:
            raise RecipientError("the address is no place in a Telegram group; it reads <chat>/<message>")
        return int(place[1]), int(place[2])
    chat = _chat(letter.to)
    answered = _PLACE.fullmatch(letter.in_reply_to or "")
    return chat, int(answered[2]) if answered and int(answered[1]) == chat else None


def _chat(address: str) -> int:
    if not _CHAT.fullmatch(address):
        raise RecipientError("the address is no Telegram chat; it is a number")
    return int(address)


def _reply(message_id: int) -> dict[str, Any]:
    # The person may have deleted what is answered.
    return {"message_id": message_id, "allow_sending_without_reply": True}


def _id(chat: int, sent: Any) -> str:
    message_id = number(obj(sent).get("message_id"))
    if message_id is None:
        raise UnknownOutcome("Telegram answered without the id of the message it sent")
    return f"{chat}/{message_id}"
