"""The methods of the Bot API that there are here, with the real one's checks and words."""

import re
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from counterparts.telegram.arguments import Arguments
from counterparts.telegram.faults import Faults
from counterparts.telegram.people import File
from counterparts.telegram.refusals import Refusal, bad_request, forbidden, too_many
from counterparts.telegram.town import Town
from counterparts.telegram.updates import USUAL, Updates, Webhook

LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024
LARGEST_DOWNLOAD = 20 * 1024 * 1024

_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_MOST_CONNECTIONS = 100
_USUAL_CONNECTIONS = 40
_PER_SECOND = 30
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}

Disconnected = Callable[[], Awaitable[bool]]


class Methods:
    """Carries out calls. Raises Refusal."""

    def __init__(self, town: Town, updates: Updates, faults: Faults) -> None:
        self._town, self._updates, self._faults = town, updates, faults
        self._sent: deque[float] = deque()
        self._sent_to: dict[int, float] = defaultdict(lambda: -1.0)
        self._methods: dict[str, Callable[[Arguments], Any]] = {
            "getme": lambda _: {**town.bot, "can_join_groups": True, "can_read_all_group_messages": True},
            "sendmessage": self._send_message,
            "senddocument": self._send_document,
            "getfile": self._get_file,
            "setwebhook": self._set_webhook,
            "deletewebhook": self._delete_webhook,
            "getwebhookinfo": self._webhook_info,
        }

    async def call(self, method: str, given: Arguments, disconnected: Disconnected) -> Any:
        """Carry out the method of that name, in any case of letters."""
        if method.lower() == "getupdates":
            return await self._get_updates(given, disconnected)
        known = self._methods.get(method.lower())
        if known is None:
            raise Refusal(404, "Not Found")
        return known(given)

    async def _get_updates(self, given: Arguments, disconnected: Disconnected) -> Any:
        self._choose(given)
        seconds = min(max(given.integer("timeout"), 0), 50)
        return await self._updates.get(given.integer("offset"), given.integer("limit", 100), seconds, disconnected)

    def _send_message(self, given: Arguments) -> Any:
        chat = self._chat(given)
        text = given.text("text").strip()
        if not text:
            raise bad_request("message text is empty")
        if units(text) > LONGEST_TEXT:
            raise bad_request("message is too long")
        return self._say(chat, {"text": text}, given)

    def _send_document(self, given: Arguments) -> Any:
        chat = self._chat(given)
        sent = given.files.get("document")
        if sent is None:
            raise bad_request("there is no document in the request")
        if not sent.content:
            raise bad_request("file must be non-empty")
        caption = given.text("caption").strip()
        if units(caption) > LONGEST_CAPTION:
            raise bad_request("message caption is too long")
        # As a document even a picture is one.
        file = File(sent.name, sent.content_type, sent.content, len(sent.content))
        self._town.files[file.id] = file
        document = {"file_id": file.id, "file_unique_id": file.unique_id, "file_size": file.size}
        about = {"file_name": file.name, "mime_type": file.content_type}
        return self._say(chat, {"document": document | about} | ({"caption": caption} if caption else {}), given)

    def _get_file(self, given: Arguments) -> Any:
        file = self._town.files.get(given.text("file_id"))
        if file is None:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        if file.size > LARGEST_DOWNLOAD:
            raise bad_request("file is too big")
        return {
            "file_id": file.id,
            "file_unique_id": file.unique_id,
            "file_size": file.size,
            "file_path": file.path,
        }

    def _set_webhook(self, given: Arguments) -> Any:
        url, secret = given.text("url"), given.text("secret_token")
        if not url:
            return self._delete_webhook(given)
        place = urlsplit(url)
        # The real service takes https alone; here a test listens on this machine.
        if place.scheme != "https" and not (place.scheme == "http" and place.hostname in _LOOPBACK):
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if secret and not _SECRET.fullmatch(secret):
            raise bad_request("secret token contains unallowed characters")
        self._choose(given)
        connections = min(max(given.integer("max_connections", _USUAL_CONNECTIONS), 1), _MOST_CONNECTIONS)
        if given.yes("drop_pending_updates"):
            self._updates.drop()
        self._updates.set_webhook(Webhook(url, secret, connections))
        return True

    def _delete_webhook(self, given: Arguments) -> Any:
        if given.yes("drop_pending_updates"):
            self._updates.drop()
        self._updates.set_webhook(None)
        return True

    def _webhook_info(self, _: Arguments) -> Any:
        info: dict[str, Any] = {"has_custom_certificate": False, "pending_update_count": self._updates.pending}
        webhook = self._updates.webhook
        if webhook is None:
            return {"url": "", **info}
        failed = {"last_error_date": webhook.error_at, "last_error_message": webhook.error} if webhook.error else {}
        allowed = list(self._updates.allowed)
        return {
            "url": webhook.url,
            **info,
            **failed,
            "max_connections": webhook.connections,
            "allowed_updates": allowed,
        }

    def _choose(self, given: Arguments) -> None:
        """Remember which updates are wanted; a list that is not given changes nothing, an empty one means the usual."""
        allowed = given.parsed("allowed_updates")
        if isinstance(allowed, list):
            self._updates.allowed = tuple(str(one) for one in allowed) or USUAL

    def _chat(self, given: Arguments) -> dict[str, Any]:
        """The chat that is to be written to, where the bot may write."""
        if not given.text("chat_id"):
            raise bad_request("chat_id is empty")
        chat_id = given.integer("chat_id")
        person = self._town.people.get(chat_id)
        if person is None and chat_id not in self._town.groups:
            raise bad_request("chat not found")
        if person is not None and person.blocked:
            raise forbidden("bot was blocked by the user")
        if person is not None and not person.started:
            raise forbidden("bot can't initiate conversation with a user")
        return self._town.chat(chat_id)

    def _say(self, chat: dict[str, Any], contents: dict[str, Any], given: Arguments) -> Any:
        wanted = given.parsed("reply_parameters")
        reply = Arguments(wanted if isinstance(wanted, dict) else {}, {})
        answered = reply.integer("message_id") or None
        if answered is not None and self._town.message(chat["id"], answered) is None:
            if not reply.yes("allow_sending_without_reply"):
                raise bad_request("message to be replied not found")
            answered = None
        self._count(chat["id"])
        return self._town.bot_says(chat, contents, answered)

    def _count(self, chat: int) -> None:
        """Enforce one message a second in a chat and thirty in all, where the faults say so."""
        now = time.monotonic()
        if not self._faults.limited:
            return
        while self._sent and self._sent[0] <= now - 1:
            self._sent.popleft()
        if 0 <= now - self._sent_to[chat] < 1 or len(self._sent) >= _PER_SECOND:
            raise too_many(1)
        self._sent.append(now)
        self._sent_to[chat] = now


def units(text: str) -> int:
    """A text's length as Telegram counts: UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
