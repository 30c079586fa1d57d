import pytest

from channels.email.markup import as_text, sanitise


@pytest.mark.parametrize(
    "markup",
    [
        "<script>alert(1)</script>",
        "<details open ontoggle=alert(1)>x</details>",
        "<svg onload=alert(1)></svg>",
        '<a href="javascript:alert(1)">x</a>',
        '<a href="data:text/html,<script>alert(1)</script>">x</a>',
        '<p style="background:url(http://evil.example/a)">x</p>',
        '<meta http-equiv="refresh" content="0;url=http://evil.example">',
        '<form action="http://evil.example"><input name=x></form>',
        '<img src="http://evil.example/pixel.gif">',
        '<iframe src="http://evil.example"></iframe>',
        '<div background="http://evil.example/a">x</div>',
        "<style>@import url(http://evil.example)</style>",
        "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    ],
)
def test_nothing_runs_and_nothing_is_fetched(markup: str) -> None:
    harmless = sanitise(markup)
    assert harmless is not None
    for word in ("alert", "evil", "on", "src", "style", "<form", "<meta"):
        assert word not in harmless.replace("noopener", "").replace("rel=", "")


def test_what_is_harmless_stays() -> None:
    markup = '<p>Hola <b>Ana</b> &amp; Co: <a href="https://example.org/?a=1&b=2">ver</a></p><table><tr><td>1</td></tr></table>'
    harmless = sanitise(markup)
    assert harmless is not None
    assert "<b>Ana</b> &amp; Co" in harmless
    assert 'href="https://example.org/?a=1&amp;b=2" rel="noopener noreferrer nofollow"' in harmless
    assert "<td>1</td>" in harmless


HOSTILE = {
    "deep": "<div>" * 100_000,
    "ampersands": "&" * 500_000,
    "entities": "&a;" * 160_000,
    "misnested": "<a><b><i></a></b>" * 30_000,
    "open": "<" * 500_000,
    "comments": "<!--" * 120_000,
    "paragraphs": "</p>" * 120_000,
    "hidden": "<script>" * 60_000,
}


@pytest.mark.timeout(60)  # read in quadratic time any of these would take far longer
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_html_is_read_or_left_out(name: str) -> None:
    harmless = sanitise(HOSTILE[name])
    assert harmless is None or "<script" not in harmless
    assert "<script" not in as_text(HOSTILE[name])


def test_what_is_too_deep_is_left_out() -> None:
    assert sanitise("<div>" * 401) is None
    assert sanitise("<div>x</div>" * 401) is not None


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Hola</p><p>Ana &amp; Co</p>", "Hola\n\nAna & Co"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<head><title>x</title></head><body>cuerpo</body>", "cuerpo"),
        ("<style>p {}</style>vista<script>if (a < b) {}</script>", "vista"),
        ("<!doctype html><!-- > --><p>1 < 2</p>", "1 < 2"),
        ("<head>sin fin", "sin fin"),
        ("solo texto\nen dos líneas", "solo texto en dos líneas"),
        ("", ""),
    ],
)
def test_html_reads_as_text(markup: str, text: str) -> None:
    assert as_text(markup) == text
