"""Pages where a newcomer writes as a person on X and reads what came back."""

from html import escape, unescape

from counterparts.x.world import Person, Words, World

CONTENT_SECURITY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 44rem; padding: 0 1rem; color: #1a1a1a }
textarea, input { font: inherit; width: 100%; box-sizing: border-box; padding: .4rem } button { font: inherit }
form { margin: .8rem 0 } ol { list-style: none; padding: 0 } li { margin: .5rem 0; padding: .5rem .8rem;
white-space: pre-wrap; overflow-wrap: anywhere; background: #f1f1f1 } li.ours { background: #dfeefc; margin-left: 3rem }
small { color: #555 } nav { margin-bottom: 1rem }
"""


def people_page(world: World, root: str) -> str:
    """Who there is; `root` is the path that the stand-in is mounted at."""
    rows = "".join(
        f'<li><a href="{root}/people/{one.id}">{escape(one.name)}</a> @{escape(one.username)}'
        f"{'' if one.open else ' · direct messages closed'}</li>"
        for one in world.people.values()
        if one is not world.us
    )
    return _page(
        "X (stand-in)",
        "<h1>X (stand-in)</h1><p>Choose who you are, then write to "
        f"@{escape(world.us.username)}. All of it is kept in memory and gone when this process ends.</p><ul>{rows}</ul>"
        f'<form method="post" action="{root}/people"><label>Name <input name="name" required maxlength="50"></label>'
        '<label>Handle <input name="username" required pattern="[A-Za-z0-9_]{1,15}"></label>'
        "<button>Join</button></form>",
    )


def person_page(world: World, person: Person, root: str) -> str:
    """One person: what they wrote and what came back, in private and in public."""
    here = f"{root}/people/{person.id}"
    private = sorted([*world.thread(person.id), *(one for one in world.chats if one.author == person.id)], key=_order)
    theirs = {one.id for one in world.posts.values() if one.author == person.id}
    public = [one for one in world.posts.values() if one.id in theirs or one.to in theirs]
    state, turn = ("open", "false") if person.open else ("closed", "true")
    name = escape(person.name)
    return _page(
        f"{person.name} on X (stand-in)",
        f'<nav><a href="{root}/">Everybody</a> · <a href="{here}">Look again</a></nav><h1>{name}</h1>'
        f"<h2>Direct messages with @{escape(world.us.username)}</h2>{_list(world, private)}"
        + _form(f"{here}/messages", "Direct message", "Send")
        + f'<form method="post" action="{here}/chats"><button>Send an encrypted message</button>'
        "<small> Nobody but the two ends can read it, so it has no words here.</small></form>"
        f'<form method="post" action="{here}/open"><input type="hidden" name="open" value="{turn}">'
        f"<button>{'Close' if person.open else 'Open'} direct messages</button><small> They are {state}.</small></form>"
        f"<h2>In public</h2>{_list(world, public)}" + _form(f"{here}/posts", "Post", "Post", f"@{world.us.username} "),
    )


def _form(action: str, label: str, button: str, text: str = "") -> str:
    return (
        f'<form method="post" action="{action}"><label>{label}<textarea name="text" rows="3" required '
        f'maxlength="10000">{escape(text)}</textarea></label><button>{button}</button></form>'
    )


def _list(world: World, written: list[Words]) -> str:
    if not written:
        return "<p>Nothing yet.</p>"
    rows = "".join(
        f"<li{' class=ours' if one.author == world.us.id else ''}>{escape(_text(one))}\n"
        f"<small>@{escape(world.people[one.author].username)} · {one.iso}</small></li>"
        for one in written
    )
    return f"<ol>{rows}</ol>"


def _text(said: Words) -> str:
    text = unescape(said.text)
    for one in said.urls:
        text = text.replace(one["url"], one["expanded_url"])
    return f"{text} [picture]".strip() if said.picture else text or "[encrypted]"


def _order(said: Words) -> int:
    return int(said.id)


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>"
    )
