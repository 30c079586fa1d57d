"""The one page: the project's issues, and how to move and comment them. Whatever was written is shown escaped."""

from html import escape

from counterparts.jira.adf import text_of
from counterparts.jira.issues import STATUSES, Issue, Project

CONTENT_SECURITY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 48rem; padding: 0 1rem; color: #1a1a1a }
article { background: #f1f4f8; border-radius: .6rem; padding: .5rem 1rem; margin: 1rem 0 } h2 { margin: .3rem 0 }
form { display: flex; flex-wrap: wrap; gap: .5rem; margin: .6rem 0; align-items: end } small { color: #555 }
label { display: flex; flex-direction: column; font-size: .85rem; color: #444 }
p { white-space: pre-wrap; margin: .4rem 0 }
input, button, select { font: inherit; padding: .3rem .5rem } .words { flex: 1; min-width: 14rem }
"""


def board_page(project: Project, root: str) -> str:
    """All issues, the newest first; `root` is where the stand-in is mounted."""
    issues = "".join(_issue(one, root) for one in reversed(project.issues.values()))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(project.name)} · Jira (stand-in)</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(project.name)} · Jira (stand-in)</h1><p>Act as a specialist: move an issue, or write below it."
        " All of it is kept in memory and gone when this process ends.</p>"
        f"{issues or '<p>No issue yet.</p>'}</body></html>"
    )


def _issue(issue: Issue, root: str) -> str:
    here = f"{root}/issues/{issue.id}"
    choices = "".join(f"<option{' selected' if name == issue.status else ''}>{name}</option>" for name in STATUSES)
    written = "".join(f"<p><b>{escape(one.author)}</b>: {escape(text_of(one.body))}</p>" for one in issue.comments)
    about = " · ".join(filter(None, (issue.status, issue.resolution, *issue.fields.get("labels", []))))
    return (
        f'<article id="{escape(issue.key)}"><h2>{escape(issue.key)} {escape(issue.fields["summary"])}</h2>'
        f"<small>{escape(about)}</small><p>{escape(text_of(issue.fields.get('description')))}</p>{written}"
        f'<form method="post" action="{here}/move"><label>Status<select name="status">{choices}</select></label>'
        '<label>Resolution<input name="resolution" maxlength="60" placeholder="Done"></label>'
        '<label class="words">Comment<input name="comment" maxlength="4000"></label><button>Move</button></form>'
        f'<form method="post" action="{here}/comments"><label class="words">Comment'
        '<input name="text" required maxlength="4000"></label><button>Write</button></form></article>'
    )
