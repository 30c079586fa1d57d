"""The page behind the link in each letter."""

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from tests.api.test_commands import UPHELD
from tests.api.world import World


def link(world: World) -> str:
    """The path of the status link, as the last letter prints it."""
    found = re.search(r"https?://\S+/s/\S+", world.post.letters[-1].text)
    assert found
    return urlsplit(found[0].rstrip(".>)")).path


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.rule("M3.10")
async def test_the_page_tells_what_happened_and_what_is_promised(world: World) -> None:
    reference = await world.opened()
    response = await world.http.get(link(world))
    assert response.status_code == 200
    page = Page(response.text)
    assert reference in page.text
    for words in (
        "Recibimos su mensaje.",
        "Le enviamos el acuse de recibo.",
        "Respuesta final: a más tardar el",
        "Reclamo",
        "Defensoría del Consumidor",
        "910",
        "Nunca le pediremos contraseñas",
    ):
        assert words in page.text, words
    assert world.post.letters[0].subject in page.text
    assert ("html", {"lang": "es"}) in page.tags
    english = Page((await world.http.get(link(world) + "?lang=en")).text)
    assert "Final answer: no later than" in english.text
    assert ("html", {"lang": "en"}) in english.tags


async def test_the_page_runs_nothing_and_is_kept_nowhere(world: World) -> None:
    await world.opened("<script>alert(1)</script> {{7*7}} exijo mi retiro, no llegó")
    response = await world.http.get(link(world))
    page = Page(response.text)
    assert not [tag for tag, _ in page.tags if tag in {"script", "img", "iframe", "form", "link"}]
    assert not [attributes for _, attributes in page.tags if any(name.startswith("on") for name in attributes)]
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.rule("M3.4")
async def test_the_complete_letter_is_read_here_where_only_a_pointer_left(world: World) -> None:
    reference = await world.opened()
    path = link(world)
    assert (await world.command(reference, "resolve", UPHELD)).status_code == 200
    await world.settled(reference, lambda view: view["state"]["status"] == "answered")
    assert "Ya salió." not in world.post.letters[-1].text
    page = Page((await world.http.get(path)).text)
    assert "Ya salió." in page.text
    assert "Le enviamos la respuesta final." in page.text
    assert "No hay nada pendiente de nuestra parte." in page.text


@pytest.mark.rule("M3.5")
async def test_a_new_date_is_told_with_its_reason_once_it_is_real(world: World) -> None:
    reference = await world.opened()
    path = link(world)
    running = (await world.get(f"/api/inquiries/{reference}")).json()["state"]["resolution_due"]
    body = {"until": f"{running[:8]}20", "reasons": "Falta la confirmación <b>del banco</b>."}
    assert (await world.command(reference, "extend", body)).status_code == 200
    await world.settled(reference, lambda view: view["state"]["flags"] == ["extended"])
    page = Page((await world.http.get(path)).text)
    assert "Ampliamos el plazo." in page.text
    assert "Motivo: Falta la confirmación <b>del banco</b>." in page.text


async def test_a_guess_learns_nothing(world: World) -> None:
    await world.opened()
    path = link(world)
    wrong = [
        path[:-1] + ("A" if path[-1] != "A" else "B"),
        "/s/",
        "/s/x",
        "/s/" + "a" * 5_000,
        "/s/%00",
        "/s/%F0%28",
        "/s/a/b",
        path + "/",
        path[:3] + path[3:].swapcase(),
        "/s/..%2f..%2fetc",
    ]
    answers = [await world.http.get(guess) for guess in wrong]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1
    assert "RX-" not in answers[0].text
    assert answers[0].headers["Cache-Control"] == "no-store"
