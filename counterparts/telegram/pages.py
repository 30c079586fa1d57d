"""The stand-in's pages: who there is, and one person's telephone. Whatever people wrote is shown escaped."""

from datetime import UTC, datetime
from html import escape
from typing import Any

from counterparts.telegram.people import Group, Person
from counterparts.telegram.town import Message, Town

CONTENT_SECURITY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; form-action 'self'"
)

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 46rem; padding: 0 1rem; color: #1a1a1a }
li { margin: .3rem 0 } form { display: flex; flex-wrap: wrap; gap: .5rem; margin: .8rem 0; align-items: end }
label { display: flex; flex-direction: column; font-size: .85rem; color: #444 } textarea { min-width: 24rem }
input, textarea, button, select { font: inherit; padding: .3rem .5rem } .note { color: #555; font-size: .9rem }
.said { border-radius: .8rem; padding: .5rem .8rem; margin: .5rem 0; max-width: 34rem; white-space: pre-wrap;
overflow-wrap: anywhere; background: #eef3f8 } .bot { background: #e6f4e6; margin-left: 6rem }
.said small { display: block; color: #555 }
"""
_MEMORY = (
    '<p class="note">A stand-in for Telegram on this machine: nothing here reaches the real one. All of it is kept in'
    " memory and is gone when the process ends; numbers go on from the clock, so that none comes twice.</p>"
)


def town_page(town: Town, root: str) -> str:
    """Everybody, every group, and how to add one; `root` is where the stand-in is mounted."""
    people = "".join(
        f'<li><a href="{root}/people/{one.id}">{escape(_name(one))}</a> ({escape(one.language)})'
        f"{' — blocked the bot' if one.blocked else ''}</li>"
        for one in town.people.values()
    )
    groups = "".join(f"<li>{escape(one.title)}</li>" for one in town.groups.values())
    return _page(
        "Telegram",
        f"<h1>Telegram</h1>{_MEMORY}<p>Open a person's telephone to write to the bot as they would.</p>"
        f"<h2>People</h2><ul>{people or '<li>Nobody yet.</li>'}</ul>"
        f'<form method="post" action="{root}/people">'
        + _input("First name", "first_name", required=True)
        + _input("Last name", "last_name")
        + _language()
        + f"<button>Add a person</button></form><h2>Groups</h2><ul>{groups or '<li>None yet.</li>'}</ul>"
        f'<form method="post" action="{root}/groups">'
        + _input("Title", "title", required=True)
        + "<button>Add a group with the bot in it</button></form>",
    )


def person_page(town: Town, person: Person, group: Group | None, root: str) -> str:
    """A person's telephone, with the private chat open or a group's."""
    home = f"{root}/people/{person.id}"
    chat = person.id if group is None else group.id
    said = "".join(_message(one, root) for one in town.messages(chat))
    others = "".join(f' · <a href="{home}?chat={one.id}">{escape(one.title)}</a>' for one in town.groups.values())
    return _page(
        _name(person),
        f'<p><a href="{root}/">Everybody</a> · <a href="{home}">Chat with the bot</a>{others}</p>'
        f"<h1>{escape(_name(person))}: {escape(group.title if group else 'chat with the bot')}</h1>"
        f"{said or '<p>Nothing was written here yet.</p>'}"
        + (_blocked(home) if person.blocked and group is None else _writing(home, chat))
        + ("" if group or person.blocked else _private(home))
        + _MEMORY,
    )


def _writing(home: str, chat: int) -> str:
    where = f'<input type="hidden" name="chat" value="{chat}">'
    return (
        f'<form method="post" action="{home}/messages" enctype="multipart/form-data">{where}'
        '<label>Message<textarea name="text" rows="3"></textarea></label>'
        '<label>Photos or documents (several make an album)<input type="file" name="files" multiple></label>'
        + _input("In reply to (number)", "reply_to")
        + "<button>Send</button></form>"
        f'<form method="post" action="{home}/edits">{where}'
        + _input("Edit message (number)", "message_id", required=True)
        + _input("New words", "text", required=True)
        + "<button>Edit</button></form>"
    )


def _private(home: str) -> str:
    return (
        f'<form method="post" action="{home}/start">'
        + _input("A link https://t.me/…?start=… or its code; empty for Start alone", "link")
        + f'<button>Press the link</button></form><form method="post" action="{home}/block">'
        "<button>Block the bot</button></form>"
    )


def _blocked(home: str) -> str:
    return f'<form method="post" action="{home}/unblock"><button>Unblock the bot</button></form>'


def _message(message: Message, root: str) -> str:
    sender = message["from"]
    at = datetime.fromtimestamp(message["date"], UTC)
    answered = message.get("reply_to_message", {}).get("message_id")
    about = [f"{sender['first_name']}, {at:%Y-%m-%d %H:%M:%S}Z, number {message['message_id']}"]
    about += [f"in reply to {answered}"] if answered else []
    about += ["edited"] if "edit_date" in message else []
    words = message.get("text") or message.get("caption") or ""
    return (
        f'<div class="said{" bot" if sender["is_bot"] else ""}"><small>{escape(", ".join(about))}</small>'
        f"{escape(words)}{_file(message, root)}</div>"
    )


def _file(message: Message, root: str) -> str:
    document: dict[str, Any] | None = message.get("document") or (message["photo"][-1] if "photo" in message else None)
    if document is None:
        return ""
    name = str(document.get("file_name") or "photo")
    return f'\n<a href="{root}/files/{escape(document["file_id"])}">{escape(name)}</a> ({document["file_size"]} bytes)'


def _input(label: str, name: str, *, required: bool = False) -> str:
    return f'<label>{escape(label)}<input name="{name}"{" required" if required else ""}></label>'


def _language() -> str:
    options = "".join(f'<option value="{code}">{code}</option>' for code in ("es", "en", "pt-br"))
    return f'<label>Language of the app<select name="language">{options}</select></label>'


def _name(person: Person) -> str:
    return f"{person.first_name} {person.last_name}".strip()


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>"
    )
