"""A whole operator in small: real records, a real Temporal server, the real workflow and letters; the post is ours."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from httpx2 import AsyncClient, Response

from channels.letter import Accepted, OutboundLetter
from channels.port import Parts
from models.inquiry import Role
from records import keys
from records.database import Database
from starter.admin.desk import Desk
from starter.reception.web_form import WebForm
from tests.cases import CAUSE, with_cause
from tests.forms import fill_in
from tests.waiting import PATIENCE

T = TypeVar("T")

ROLES = {
    Role.AGENT: "agent-1",
    Role.REPRESENTATIVE: "cx-lead",
    Role.SUPERVISOR: "supervisor-1",
    Role.COMPLIANCE: "compliance-1",
    Role.AUDITOR: "auditor-1",
    Role.INTAKE: "intake-1",
}


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Post:
    """Takes every letter."""

    letters: list[OutboundLetter] = field(default_factory=list)

    def send(self, letter: OutboundLetter, parts: Parts) -> Accepted:
        self.letters.append(letter)
        return Accepted(provider_id=f"p{len(self.letters)}", at=now())


async def until(look: Callable[[], Awaitable[T | None]], patience: float = PATIENCE) -> T:
    """What `look` finds, once it finds something."""
    async with asyncio.timeout(patience):
        while (found := await look()) is None:
            await asyncio.sleep(0.02)
        return found


@dataclass
class World:
    desk: Desk
    http: AsyncClient
    secrets: dict[Role, str]
    post: Post

    async def get(self, path: str, role: Role = Role.AGENT, **more: Any) -> Response:
        return await self.http.get(path, headers=self.bearer(role), **more)

    async def command(
        self, reference: str, name: str, body: Any = None, role: Role | None = None, **headers: str
    ) -> Response:
        named = {header.replace("_", "-"): value for header, value in headers.items()}
        who = self.bearer(role) if role else self.usual(name, body)
        written = with_cause(name, body or {}, CAUSE)
        if name == "approve" and body is None:
            written = await self.approval(reference)
        return await self.http.post(f"/api/inquiries/{reference}/{name}", json=written, headers={**who, **named})

    async def approval(self, reference: str) -> dict[str, Any]:
        """The body of a yes to what waits."""
        view = await self.settled(reference, lambda view: view["state"]["proposal"] is not None)
        return {"proposed_at": view["state"]["proposal"]["at"]}

    def usual(self, name: str, body: Any) -> dict[str, str]:
        """The key of who gives a command: an agent, or who speaks for the area where its word is wanted (M5.3)."""
        if name == "resolve":
            return self.bearer(Role.REPRESENTATIVE)
        if name == "close_incident":
            return self.bearer(Role.SUPERVISOR)
        if name not in {"answer_referral", "verify"}:
            return self.bearer(Role.AGENT)
        with self.desk.database.write() as session:
            secret = keys.create(session, f"{body['area']}-lead", Role.REPRESENTATIVE, now())
        return {"Authorization": f"Bearer {secret}"}

    def bearer(self, role: Role) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secrets[role]}"}

    async def opened(self, text: str = "Mi retiro no llegó, exijo respuesta.", email: str = "ana@example.org") -> str:
        """A new inquiry whose acknowledgement has left."""
        form = WebForm(email=email, text=text, subject="Retiro")
        reference = fill_in(self.desk.intake, form).reference
        assert reference
        await self.settled(reference, lambda view: view["state"]["status"] == "open")
        return reference

    async def settled(self, reference: str, wanted: Callable[[Any], bool]) -> Any:
        """The inquiry as the API shows it, once it is as wanted."""

        async def look() -> Any:
            view = (await self.get(f"/api/inquiries/{reference}")).json()
            return view if wanted(view) else None

        return await until(look)


def make_keys(records: Database) -> dict[Role, str]:
    with records.write() as session:
        return {role: keys.create(session, actor, role, now()) for role, actor in ROLES.items()}
