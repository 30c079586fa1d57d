"""All that happens between the bot and the people: messages, edits, blocks. In memory alone."""

from collections.abc import Callable, Sequence
from typing import Any

from counterparts.telegram.people import File, Group, Person

Message = dict[str, Any]
Tell = Callable[[str, dict[str, Any], int], None]
"""Hands over what happened: the kind of update, its body, the chat."""

_PERSONS_FROM = 5_000_000_001
"""Ids go beyond 32 bits."""
_GROUPS_FROM = -1_001_000_000_001
_A_SECOND = 1_000
"""Ids of a second: fewer people than that join in one, so a later start gives nobody the id of somebody before."""


class Town:
    """The state. Used from one thread; `clock` gives seconds since 1970, `first` is the first message's number.

    Ids of people and groups begin at it as well, so a stand-in that starts later takes none for somebody of before.
    """

    def __init__(self, bot_id: int, bot_username: str, clock: Callable[[], float], first: int, tell: Tell) -> None:
        self.bot = {"id": bot_id, "is_bot": True, "first_name": "Plazo", "username": bot_username}
        self.people: dict[int, Person] = {}
        self.groups: dict[int, Group] = {}
        self.files: dict[str, File] = {}
        self._chats: dict[int, dict[int, Message]] = {}
        self._clock, self._next_message, self._tell = clock, first, tell
        self._first_person = _PERSONS_FROM + first * _A_SECOND
        self._first_group = _GROUPS_FROM - first * _A_SECOND

    def add_person(self, **about: Any) -> Person:
        """Somebody new."""
        person = Person(id=self._first_person + len(self.people), **about)
        self.people[person.id] = person
        return person

    def add_group(self, title: str) -> Group:
        """A new group with the bot in it."""
        group = Group(self._first_group - len(self.groups), title)
        self.groups[group.id] = group
        return group

    def messages(self, chat: int) -> list[Message]:
        """What stands in a chat, oldest first, as last edited."""
        return list(self._chats.get(chat, {}).values())

    def message(self, chat: int, message_id: int) -> Message | None:
        """One message of a chat."""
        return self._chats.get(chat, {}).get(message_id)

    def say(
        self, person: Person, chat: int, text: str = "", files: Sequence[File] = (), reply_to: int | None = None
    ) -> list[Message]:
        """A person writes in a chat: words, a file with a caption, or an album whose first post has the caption."""
        person.started = person.started or chat == person.id
        if not files:
            return [self._said(person, chat, self._words(text) | self._reply(chat, reply_to))]
        album = {"media_group_id": str(self._next_message)} if len(files) > 1 else {}
        captions = [text] + [""] * (len(files) - 1)
        posts = []
        for file, caption in zip(files, captions, strict=True):
            self.files[file.id] = file
            words = {"caption": caption} if caption else {}
            posts.append(self._said(person, chat, file.contents | words | album | self._reply(chat, reply_to)))
        return posts

    def post(self, person: Person, chat: int, contents: dict[str, Any]) -> Message:
        """A person posts whatever the Bot API knows: a location, a sticker, a contact."""
        person.started = person.started or chat == person.id
        return self._said(person, chat, contents)

    def edit(self, chat: int, message_id: int, text: str) -> Message:
        """A person puts a message into other words. KeyError where there is no such message."""
        before = self._chats[chat][message_id]
        part = {"caption": text} if "caption" in before else self._words(text)
        self._chats[chat][message_id] = after = {**before, **part, "edit_date": int(self._clock())}
        self._tell("edited_message", after, chat)
        return after

    def set_blocked(self, person: Person, *, blocked: bool) -> None:
        """A person blocks the bot, or takes it back."""
        if person.blocked == blocked:
            return
        person.blocked = blocked
        was, now = ("member", "kicked") if blocked else ("kicked", "member")
        change = {
            "chat": person.chat,
            "from": person.user,
            "date": int(self._clock()),
            "old_chat_member": {"user": self.bot, "status": was},
            "new_chat_member": {"user": self.bot, "status": now},
        }
        self._tell("my_chat_member", change, person.id)

    def bot_says(self, chat: dict[str, Any], contents: dict[str, Any], reply_to: int | None) -> Message:
        """The bot writes in a chat; nobody is told by an update."""
        return self._keep(self.bot, chat, contents | self._reply(chat["id"], reply_to))

    def chat(self, chat: int) -> dict[str, Any]:
        """A chat as the Bot API shows it. KeyError where there is none."""
        return self.people[chat].chat if chat in self.people else self.groups[chat].chat

    def _said(self, person: Person, chat: int, contents: dict[str, Any]) -> Message:
        message = self._keep(person.user, self.chat(chat), contents)
        self._tell("message", message, chat)
        return message

    def _keep(self, sender: dict[str, Any], chat: dict[str, Any], contents: dict[str, Any]) -> Message:
        message_id = self._next_message
        self._next_message += 1
        message = {"message_id": message_id, "from": sender, "chat": chat, "date": int(self._clock()), **contents}
        self._chats.setdefault(chat["id"], {})[message_id] = message
        return message

    def _reply(self, chat: int, message_id: int | None) -> dict[str, Any]:
        answered = None if message_id is None else self.message(chat, message_id)
        if answered is None:
            return {}
        return {"reply_to_message": {name: value for name, value in answered.items() if name != "reply_to_message"}}

    def _words(self, text: str) -> dict[str, Any]:
        command = text.split(maxsplit=1)[0] if text.startswith("/") else ""
        marked = {"entities": [{"type": "bot_command", "offset": 0, "length": len(command)}]} if command else {}
        return {"text": text, **marked}
