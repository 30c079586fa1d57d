"""The mailroom's pages: a list of letters and one letter, for a person with a browser."""

from email import message_from_bytes
from html import escape

from counterparts.mailroom.letters import Letter

CONTENT_SECURITY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1a1a1a }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .4rem .6rem; vertical-align: top }
tr + tr { border-top: 1px solid #ddd } th { white-space: nowrap; color: #555; font-weight: 600 }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f6f6f6; padding: 1rem }
iframe { width: 100%; height: 40rem; border: 1px solid #ccc } td { overflow-wrap: anywhere }
"""


def letters_page(letters: list[Letter]) -> str:
    """The list, in the order given."""
    rows = "".join(
        f"<tr><td>{one.accepted_at:%Y-%m-%d %H:%M:%S}Z</td>"
        f'<td><a href="/letters/{one.id}">{escape(one.subject)}</a></td>'
        f"<td>{escape(', '.join(one.to))}</td><td>{escape(one.notice)}</td></tr>"
        for one in letters
    )
    table = (
        f"<table><thead><tr><th>accepted</th><th>subject</th><th>to</th><th>notice</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
        if letters
        else "<p>No letters yet. They appear here as soon as one is sent.</p>"
    )
    others = '<p>Other stand-ins: <a href="/telegram/">Telegram</a> · <a href="/x/">X</a></p>'
    return _page("Mailroom", f"<h1>Mailroom</h1>{others}<p>Letters that left by e-mail, newest first.</p>{table}")


def letter_page(letter: Letter) -> str:
    """One letter: its headers, its text, and its HTML in a frame that may do nothing."""
    mail = message_from_bytes(letter.eml())
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(_shown(letter, name, str(value)))}</td></tr>"
        for name, value in mail.items()
    )
    text, markup = letter.part("text/plain"), letter.part("text/html")
    return _page(
        letter.subject,
        f'<p><a href="/">All letters</a> · <a href="/letters/{letter.id}.eml">as .eml</a></p>'
        f"<h1>{escape(letter.subject)}</h1><table>{rows}</table>"
        + (f"<h2>Text</h2><pre>{escape(text)}</pre>" if text else "")
        + (f'<h2>HTML</h2><iframe title="HTML part" sandbox srcdoc="{escape(markup)}"></iframe>' if markup else ""),
    )


def _shown(letter: Letter, name: str, value: str) -> str:
    return letter.subject if name == "Subject" else value


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>"
    )
