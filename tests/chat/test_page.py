"""The page in a real browser: written there, stored here; answered here, read there; and nothing of it ever runs."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from channels.letter import OutboundLetter
from records import cases, messages
from records.chat import MESSAGE
from starter.chat.page_words import WORDS
from tests.chat.site import Site, letter
from tests.waiting import PATIENCE, until

CHROMIUM = shutil.which("chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = "<script>window.ran=1</script><img src=x onerror='window.ran=2'><details open ontoggle='window.ran=3'>{{7*7}}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here; on Debian: apt-get install chromium")
    expect.set_options(timeout=PATIENCE * 1000)  # of the whole process
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, complaints: list[str]) -> Iterator[Page]:
    """A page that notes every error of its console, which is where a policy of content says what it refused."""
    context = browser.new_context(locale="es-SV", timezone_id="America/El_Salvador")
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE * 1000)
    opened.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("dialog", lambda dialog: complaints.append(dialog.message))
    yield opened
    context.close()


@pytest.fixture
def complaints() -> list[str]:
    return []


def lines(page: Page) -> list[str]:
    """The words of the conversation as they are shown."""
    return page.locator("#log li .text").all_inner_texts()


def session_of(site: Site) -> str:
    """The session of the only inquiry."""
    with site.database.read() as session:
        [reference] = cases.open_references(session)
        return messages.of_case(session, reference)[0].sender


def write(page: Page, text: str) -> None:
    page.get_by_label(WORDS["es"]["message"]).fill(text)
    page.get_by_role("button", name=WORDS["es"]["send"]).click()


@pytest.mark.rule("M3.1")
def test_a_conversation_in_the_browser(site: Site, page: Page, complaints: list[str]) -> None:
    page.goto(f"{site.url}/chat")
    expect(page.get_by_role("heading")).to_have_text(WORDS["es"]["title"])
    expect(page.get_by_role("log")).to_have_attribute("aria-live", "polite")
    write(page, "Mi retiro no ha llegado y nadie me responde.")
    expect(page.locator("#reference")).not_to_be_empty()
    with site.database.read() as session:
        [reference] = cases.open_references(session)
    assert page.locator("#reference").inner_text() == reference
    visitor = session_of(site)
    site.transcript.write(visitor, _letter(visitor, f"{reference}/acknowledgement/1", HOSTILE), site.now())
    expect(page.locator("#log li.ours")).to_have_count(1)
    write(page, HOSTILE)
    expect(page.locator("#log li.yours")).to_have_count(2)
    expect(page.locator("#log li .status")).to_have_count(0)
    whole = ["Mi retiro no ha llegado y nadie me responde.", HOSTILE, HOSTILE]
    assert lines(page) == whole
    until(lambda: site.row(visitor).read_seq == 2, "the letter was seen")

    page.reload()
    expect(page.locator("#log li")).to_have_count(3)
    assert lines(page) == whole, "nothing is lost and nothing comes twice"
    assert page.locator("#reference").inner_text() == reference

    page.get_by_label(WORDS["es"]["email"]).fill("ana@example.org")
    page.get_by_role("button", name=WORDS["es"]["keep"]).click()
    expect(page.locator("#email-state")).to_have_text(WORDS["es"]["kept"])
    assert site.row(visitor).email == "ana@example.org"
    assert page.evaluate("window.ran") is None
    assert page.locator("#log script, #log img, #log details").count() == 0
    assert complaints == []


def test_a_broken_connection_loses_nothing(serve: Callable[..., Site], page: Page) -> None:
    site = serve()
    page.goto(f"{site.url}/chat?lang=es")
    write(page, "uno")
    expect(page.locator("#log li .status")).to_have_count(0)
    visitor = session_of(site)
    page.context.set_offline(True)
    site.transcript.write(visitor, _letter(visitor, "RX-7KQ4-M2PD/reply/1", "mientras tanto"), site.now())
    write(page, "dos")
    expect(page.locator("#state")).to_have_text(WORDS["es"]["away"])
    page.context.set_offline(False)
    expect(page.locator("#log li")).to_have_count(3)
    expect(page.locator("#log li .status")).to_have_count(0)
    assert sorted(lines(page)) == ["dos", "mientras tanto", "uno"]
    assert [event.text for event in site.book(visitor) if event.kind == MESSAGE] == ["uno", "dos"]
    site.later = timedelta(days=181)
    write(page, "tres")
    until(lambda: _words(site) == {"uno", "dos", "tres"}, "a session that is over gives way to a new one")


def _words(site: Site) -> set[str]:
    with site.database.read() as session:
        found = [messages.of_case(session, reference) for reference in cases.open_references(session)]
    return {row.text for rows in found for row in rows}


def test_the_page_speaks_both_languages_and_lets_nothing_in(site: Site) -> None:
    for accepted, lang, shown in (("", "", "es"), ("en-US,en", "", "en"), ("en", "es", "es"), ("de", "xx", "es")):
        answer = site.http.get(f"/chat?lang={lang}", headers={"Accept-Language": accepted})
        assert f'<html lang="{shown}">' in answer.text
        assert WORDS[shown]["intro"] in answer.text
    answer = site.http.get("/chat")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in answer.text
    assert " style=" not in answer.text
    assert answer.text.count("http") == 0, "nothing comes from anywhere else"
    assert WORDS["es"].keys() == WORDS["en"].keys()


def test_the_page_has_its_own_files_and_no_others(site: Site) -> None:
    answer = site.http.get("/chat/static/x/chat.js")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "innerHTML" not in answer.text
    assert site.http.get("/chat/static/x/chat.css").headers["content-type"] == "text/css; charset=utf-8"
    for other in ("page.py", "..%2fpage.py", "chat.html"):
        assert site.http.get(f"/chat/static/x/{other}").status_code == 404


def _letter(to: str, notice: str, text: str) -> OutboundLetter:
    return letter(to, notice, subject=text[:40], text=text, html=f"<p>{text}</p>")
