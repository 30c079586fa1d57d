"""The agent's side of a round trip: the admin API, and what the case says there."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.faults.town import Town
from tests.faults.voices import Heard, Voice
from tests.trials.people import REFERENCE

PATIENCE = 60.0
"""Seconds; the machine may be busy with other things."""


async def until(look: Callable[[], Awaitable[object]], what: str) -> None:
    """Wait for a condition."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not await look():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"waited {PATIENCE:g} s in vain until {what}") from None


async def heard(person: Voice, count: int) -> list[Heard]:
    """The letters in somebody's hands once there are so many, and no more."""
    await until(lambda: _so_many(person, count), f"{count} letters came by {person.channel}")
    letters = await person.letters()
    assert len(letters) == count
    return letters


async def _so_many(person: Voice, count: int) -> bool:
    return len(await person.letters()) >= count


def reference_of(letter: Heard) -> str:
    """The reference that a letter names."""
    found = REFERENCE.search(letter.text)
    assert found, letter.text
    return found[0]


class Agent:
    """Gives commands and reads cases, with the key that a town prints."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._headers = {"Authorization": f"Bearer {town.key}"}
        lines = (town.settings.var / "dev-api-key").read_text(encoding="ascii").splitlines()
        keys = dict(line.split() for line in lines)
        self._speaking = {"Authorization": f"Bearer {keys['representative']}"}
        self._portal = {"Authorization": f"Bearer {keys['intake']}"}

    async def get(self, path: str) -> Any:
        """Read something."""
        return (await self._town.web.get(f"/api{path}", headers=self._headers)).raise_for_status().json()

    async def command(self, reference: str, name: str, **body: Any) -> None:
        """Give a command; a final answer is given by who speaks for an area, which verifies it (M5.3)."""
        path = f"/api/inquiries/{reference}/{name}"
        headers = self._speaking if name == "resolve" else self._headers
        answer = await self._town.web.post(path, json=body, headers=headers)
        assert answer.is_success, answer.text

    async def bind(self, account: str, email: str) -> tuple[str, dict[str, str]]:
        """Get a one-time code for the owner of an account, as the operator's portal does: the code, and its links."""
        body = {"account": account, "email": email}
        answer = await self._town.web.post("/api/bindings", json=body, headers=self._portal)
        assert answer.is_success, answer.text
        return answer.json()["code"], answer.json()["links"]

    async def case(self, reference: str) -> Any:
        """The inquiry as the API shows it."""
        return await self.get(f"/inquiries/{reference}")

    async def happened(self, reference: str, kind: str, count: int = 1) -> None:
        """Wait until something stands in the timeline so often."""

        async def look() -> bool:
            events = (await self.case(reference))["timeline"]
            return [one["type"] for one in events].count(kind) == count

        await until(look, f"{kind} stands {count} times in the timeline of {reference}")

    async def status(self, reference: str, wanted: str) -> None:
        """Wait for a status."""

        async def look() -> bool:
            return bool((await self.case(reference))["state"]["status"] == wanted)

        await until(look, f"{reference} is {wanted}")

    async def letters(self, reference: str) -> list[tuple[str, str]]:
        """Every letter that left: its kind and its channel; copies not."""
        rows = (await self.case(reference))["letters"]
        return [(one["kind"], one["channel"]) for one in rows if one["accepted_at"] and not one["copy_of"]]
