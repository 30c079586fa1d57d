"""Pictures for docs/ui/, taken in a real browser: a case in each state in Temporal's own UI, and what users see.

`make screenshots` starts a house of its own on free ports in a temporary folder, brings cases into every state through
the admin API, photographs their pages and stops everything. It needs Chromium (Debian: `apt-get install chromium`).
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent / "ui"
CHROMIUM = shutil.which("chromium") or "chromium"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PORTS = ("temporal", "temporal_ui", "web", "mailroom")
STATES = ("open", "referred", "extended", "external", "proposed", "answered", "appealed", "withdrawn", "refused")
SETTLING = 1500
"""Milliseconds for the page to draw its bars."""

COMPLAINT = "Mi retiro no ha llegado y nadie me explica por qué. Quiero una respuesta."
POINTS = [
    {
        "point": "La comisión se cobró dos veces",
        "answer": "Le devolvemos una; la otra se debía.",
        "facts_verified": "Hay dos cobros, y uno es el del retiro.",
        "source": "El libro de movimientos de la cuenta",
        "rule": "Tarifario, punto 4",
        "why": "El retiro tiene su propia comisión.",
    }
]


class House:
    """A running house and the ways to speak to it."""

    def __init__(self, ports: dict[str, int], var: Path) -> None:
        """Speak to the house on these ports, with its development keys."""
        self.ports, self.var = ports, var
        keys = dict(line.split() for line in (var / "dev-api-key").read_text().splitlines())
        self.web = httpx2.Client(base_url=f"http://127.0.0.1:{ports['web']}", timeout=20)
        self.keys = {role: {"Authorization": f"Bearer {key}"} for role, key in keys.items()}

    def open(self, text: str) -> str:
        """Open an inquiry through the web form and wait for its acknowledgement."""
        form = {"email": "ana@example.org", "text": text, "subject": "Retiro pendiente", "language": "es"}
        reference = self.web.post("/intake/web", json=form).raise_for_status().json()["reference"]
        wait(lambda: self.read(reference)["state"]["status"] == "open")
        return str(reference)

    def read(self, reference: str) -> dict[str, Any]:
        """The inquiry as the API shows it."""
        answer = self.web.get(f"/api/inquiries/{reference}", headers=self.keys["agent"])
        return dict(answer.raise_for_status().json())

    def command(self, reference: str, name: str, role: str = "agent", **body: Any) -> None:
        """Give a command."""
        self.web.post(f"/api/inquiries/{reference}/{name}", headers=self.keys[role], json=body).raise_for_status()

    def until(self, reference: str, status: str) -> None:
        """Wait for a status."""
        wait(lambda: self.read(reference)["state"]["status"] == status)


def wait(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for a condition. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the house did not get there")
        time.sleep(0.1)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def house() -> Iterator[House]:
    """Start `plazo run` in a temporary folder; stop it, whatever happens."""
    ports = {name: free_port() for name in PORTS}
    with tempfile.TemporaryDirectory(prefix="plazo-pictures-") as name:
        var = Path(name) / "var"
        numbers = {f"PLAZO_{port.upper()}_PORT": str(number) for port, number in ports.items()}
        plazo = Path(sys.executable).parent / "plazo"
        running = subprocess.Popen(
            [plazo, "run"],
            env={**os.environ, **numbers, "PLAZO_VAR": str(var)},
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            wait(lambda: (var / "dev-api-key").exists() and ready(ports["web"]), 120)
            yield House(ports, var)
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(60)


def ready(port: int) -> bool:
    """Whether web and Temporal answer."""
    with contextlib.suppress(httpx2.HTTPError):
        return bool(set(httpx2.get(f"http://127.0.0.1:{port}/readyz").json().values()) == {"ok"})
    return False


def cases(town: House) -> dict[str, str]:
    """One inquiry in each state, by the picture's name."""
    made = {}
    for name in STATES:
        made[name] = town.open(COMPLAINT)
    due = town.read(made["open"])["state"]["resolution_due"][:10]
    year = int(due[:4])
    town.command(made["referred"], "refer", area="security", question="Was the account taken over?")
    town.command(made["extended"], "extend", until=f"{year}-02-10", reasons="The records span two years.")
    town.command(
        made["external"],
        "escalate",
        institution="the settlement bank",
        reasons="Only the bank can confirm it.",
        estimate=f"{year}-02-05",
        until=f"{year}-02-10",
    )
    actions = ["Leímos el libro de movimientos."]
    final: dict[str, Any] = {"outcome": "upheld", "points": POINTS, "actions": actions, "cause": "withdrawal.delayed"}
    unfounded = {**final, "outcome": "unfounded", "reasons": "La comisión se debía."}
    town.command(made["proposed"], "propose", command="resolve", order=unfounded)
    for name in ("answered", "appealed"):
        town.command(made[name], "resolve", "representative", **final)
        town.until(made[name], "answered")
    town.command(made["appealed"], "appeal", text="I do not agree.", by="authority", file_number="SS-0001")
    message = town.read(made["withdrawn"])["messages"][0]["id"]
    town.command(made["withdrawn"], "propose", command="withdraw", order={"reasons": "Solved.", "message": message})
    town.command(made["withdrawn"], "approve", "representative")
    refused = [str(Path(sys.executable).parent / "temporal"), "workflow", "signal", "--name", "extend"]
    refused += ["--workflow-id", f"inquiry/{made['refused']}", "--address", f"127.0.0.1:{town.ports['temporal']}"]
    subprocess.run([*refused, "--input", '{"until": "soon"}'], check=True, stdout=subprocess.DEVNULL)
    time.sleep(2)
    return made


def photograph(town: House, made: dict[str, str]) -> None:
    """Take a picture of each case's page, and one of the list."""
    FOLDER.mkdir(exist_ok=True)
    base = f"http://127.0.0.1:{town.ports['temporal_ui']}/namespaces/default/workflows"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": 1280, "height": 1500})
        for name, reference in made.items():
            page.goto(f"{base}/{quote(f'inquiry/{reference}', safe='')}", wait_until="domcontentloaded")
            page.get_by_role("heading", name="Timeline").wait_for()
            page.wait_for_timeout(SETTLING)
            if name == "open":
                page.screenshot(path=FOLDER / "timeline.png")
            page.get_by_text("User Metadata").first.click()
            page.frame_locator("#user-metadata-current-details").get_by_text("Waiting for").wait_for()
            page.screenshot(path=FOLDER / f"{name}.png")
            sys.stdout.write(f"{name}: {reference}\n")
        page.goto(base, wait_until="domcontentloaded")
        page.get_by_text("inquiry/RX-").first.wait_for()
        page.screenshot(path=FOLDER / "list.png")
        browser.close()


def photograph_users(town: House) -> None:
    """Write as a user on the chat's page and on the stand-ins' pages, and take a picture of each answer."""
    mailroom = f"http://127.0.0.1:{town.ports['mailroom']}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": 900, "height": 900}, locale="es-SV")
        page.goto(f"{town.web.base_url}/chat")
        page.get_by_label("Su mensaje").fill(COMPLAINT)
        page.get_by_role("button", name="Enviar").click()
        page.get_by_role("log").get_by_text("Acuse de recibo").wait_for()
        page.get_by_role("log").evaluate("log => log.scrollTo(0, 0)")
        page.screenshot(path=FOLDER / "chat.png")
        page.goto(f"{mailroom}/telegram/")
        page.get_by_label("First name").fill("Ana")
        page.get_by_role("button", name="Add a person").click()
        page.get_by_label("Message", exact=True).fill(COMPLAINT)
        page.get_by_role("button", name="Send").click()
        show_answer(page, "Acuse de recibo", "telegram")
        page.goto(f"{mailroom}/x/")
        page.get_by_role("link", name="Ana").click()
        page.get_by_label("Post").fill(f"@roxomxyz {COMPLAINT}")
        page.get_by_role("button", name="Post").click()
        show_answer(page, "escríbanos en privado", "x")
        browser.close()


def show_answer(page: Page, words: str, name: str) -> None:
    """Load a stand-in's page, which does not change by itself, until the answer is there; take a picture of it."""

    def answered() -> bool:
        page.goto(page.url)
        return page.get_by_text(words).count() > 0

    wait(answered)
    page.screenshot(path=FOLDER / f"{name}.png")
    sys.stdout.write(f"{name}\n")


def main() -> None:
    """Take all pictures."""
    with house() as town:
        photograph_users(town)
        photograph(town, cases(town))


if __name__ == "__main__":
    main()
