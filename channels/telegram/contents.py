"""What a Telegram message holds: words, a file that lies with Telegram, or something to be said in words."""

from collections.abc import Callable
from dataclasses import dataclass

from channels.message import Dropped, RemoteFile
from channels.telegram.fields import Object, number, obj, said
from channels.text import clean, one_line

LARGEST_FILE = 20 * 1024 * 1024
"""Bytes: Telegram lets a bot download no larger file."""

SERVICE = frozenset(
    """new_chat_members left_chat_member new_chat_title new_chat_photo delete_chat_photo group_chat_created
    supergroup_chat_created channel_chat_created message_auto_delete_timer_changed migrate_to_chat_id
    migrate_from_chat_id pinned_message write_access_allowed proximity_alert_triggered boost_added chat_background_set
    forum_topic_created forum_topic_edited forum_topic_closed forum_topic_reopened general_forum_topic_hidden
    general_forum_topic_unhidden giveaway_created giveaway_completed video_chat_scheduled video_chat_started
    video_chat_ended video_chat_participants_invited connected_website chat_owner_left chat_owner_changed""".split()  # noqa: SIM905 - as words
)
"""Marks of what Telegram itself says in a chat: nobody wrote it."""

_FILES = {
    "document": ("document", "application/octet-stream"),
    "voice": ("voice.ogg", "audio/ogg"),
    "video": ("video.mp4", "video/mp4"),
    "audio": ("audio.mp3", "audio/mpeg"),
    "animation": ("animation.mp4", "video/mp4"),
    "video_note": ("video.mp4", "video/mp4"),
}
"""The name and type that a file gets where the message names none."""

_LONGEST_ID = 1000
_MOST_OPTIONS = 20


@dataclass(frozen=True, slots=True)
class Contents:
    """What a message holds. `unreadable` says why there is nothing of it here; the raw copy has it."""

    text: str
    quoted: str
    file: RemoteFile | None
    dropped: tuple[Dropped, ...]
    unreadable: str


def read_contents(post: Object, limit: int) -> Contents:
    """Read a message that is no service message; `limit` is in characters of text."""
    written = post.get("text") if isinstance(post.get("text"), str) else post.get("caption")
    said_all = clean(written) if isinstance(written, str) else ""
    words = said_all[:limit]
    cut = (Dropped(what="text", why=f"only its first {limit} characters are shown"),) if said_all != words else ()
    if not words.strip():
        words = next((f"[{say(obj(post[kind]))}]" for kind, say in _SAID.items() if kind in post), "")
    quote = obj(post.get("quote")).get("text")
    quoted = clean(quote)[:limit] if isinstance(quote, str) else ""
    file = _file(post)
    if isinstance(file, Dropped):
        return Contents(words, quoted, None, (*cut, file), "")
    unreadable = "" if words or file else "holds nothing that is known here"
    return Contents(words, quoted, file, cut, unreadable)


def _file(post: Object) -> RemoteFile | Dropped | None:
    """The message's one file, or what is to be told of it."""
    photos = post.get("photo")
    if isinstance(photos, list) and photos:
        largest = max((obj(one) for one in photos), key=_pixels)
        return _remote(largest, "photo.jpg", "image/jpeg")
    kind = next((kind for kind in _FILES if kind in post), None)
    return None if kind is None else _remote(obj(post[kind]), *_FILES[kind])


def _pixels(photo: Object) -> int:
    return (number(photo.get("width")) or 0) * (number(photo.get("height")) or 0)


def _remote(file: Object, name: str, content_type: str) -> RemoteFile | Dropped:
    filename = said(file.get("file_name")) or name
    file_id, size = file.get("file_id"), max(number(file.get("file_size")) or 0, 0)
    if not isinstance(file_id, str) or not file_id or one_line(file_id, _LONGEST_ID) != file_id:
        return Dropped(what=filename, why="Telegram named no file that can be fetched")
    if size > LARGEST_FILE:
        return Dropped(
            what=filename, why=f"{size} bytes: Telegram gives a bot no file over 20 MB; ask for it by e-mail"
        )
    return RemoteFile(
        id=file_id, filename=filename, content_type=said(file.get("mime_type"), 100) or content_type, size=size
    )


def _venue(venue: Object) -> str:
    return f"place: {said(venue.get('title'))}, {said(venue.get('address'))}, {_location(obj(venue.get('location')))}"


def _location(location: Object) -> str:
    return f"location: {said(location.get('latitude'))}, {said(location.get('longitude'))}"


def _contact(contact: Object) -> str:
    name = f"{said(contact.get('first_name'))} {said(contact.get('last_name'))}".strip()
    return f"contact: {name}, {said(contact.get('phone_number'))}"


def _poll(poll: Object) -> str:
    options = poll.get("options")
    texts = [said(obj(one).get("text")) for one in options[:_MOST_OPTIONS]] if isinstance(options, list) else []
    return f"poll: {said(poll.get('question'), 300)} {' / '.join(texts)}".rstrip()


# A venue comes with its location, so the order counts.
_SAID: dict[str, Callable[[Object], str]] = {
    "venue": _venue,
    "location": _location,
    "contact": _contact,
    "sticker": lambda sticker: f"sticker {said(sticker.get('emoji'))}".rstrip(),
    "poll": _poll,
    "dice": lambda dice: f"dice {said(dice.get('emoji'))} {said(dice.get('value'))}".rstrip(),
    "story": lambda _: "a forwarded story",
}
"""How what is neither text nor file is said in words."""
