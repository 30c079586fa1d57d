"""What a person or a test does on this X: write, close direct messages, and let things go wrong. JSON."""

import base64
import binascii
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from counterparts.mailroom.faults import Fault
from counterparts.x import envelopes
from counterparts.x.desk import Desk
from counterparts.x.world import Person, Words

Text = Annotated[str, Field(max_length=100_000)]


class Newcomer(BaseModel):
    """Somebody who joins."""

    name: Annotated[str, Field(max_length=200)]
    username: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,15}$")]


class Writing(BaseModel):
    """Something to be written; `picture` in base64. A post may answer another."""

    text: Text = ""
    picture: str = ""
    answers: str = ""


class Door(BaseModel):
    """Whether a person takes direct messages from us."""

    open: bool


class Circumstances(BaseModel):
    """How things stand; what is not given stays as it is.

    `credits` in US dollars, -1: they never run out; `limited`: the rate limits hold; `enrolled`: the app has access;
    `valid`, `calling`: of the webhook, see `counterparts.x.hooks`; `expire`, `revoke`: end access tokens, or all.
    """

    credits: float | None = None
    limited: bool | None = None
    enrolled: bool | None = None
    valid: bool | None = None
    calling: bool | None = None
    expire: bool = False
    revoke: bool = False


def control_router(desk: Desk) -> APIRouter:
    """The routes under `/api`."""
    router = APIRouter(prefix="/api")
    for build in (_people, _account, _faults):
        build(router, desk)
    return router


def write_message(desk: Desk, person: Person, text: str, picture: bytes | None = None) -> Words:
    """Have a person write us a direct message, and tell the webhook."""
    said = desk.world.message(person.id, desk.world.us.id, text, picture)
    desk.hooks.tell(envelopes.direct(desk.world, said))
    return said


def write_chat(desk: Desk, person: Person) -> Words:
    """Have a person write us an encrypted message, and tell the webhook."""
    said = desk.world.chat(person.id)
    desk.hooks.tell(envelopes.encrypted(desk.world, said))
    return said


def write_post(desk: Desk, person: Person, text: str, answers: str = "", picture: bytes | None = None) -> Words:
    """Have a person post in public; the webhook is told where the post names or answers us."""
    said = desk.world.post(person.id, text, answers, picture)
    if f"@{desk.world.us.username.lower()}" in text.lower():
        desk.hooks.tell(envelopes.public(desk.world, said, "post.mention.create"))
    if (answered := desk.world.posts.get(answers)) and answered.author == desk.world.us.id:
        desk.hooks.tell(envelopes.public(desk.world, said, "post.reply.create"))
    return said


def _people(router: APIRouter, desk: Desk) -> None:
    @router.post("/people", status_code=201)
    async def join(newcomer: Newcomer) -> dict[str, Any]:
        """Have somebody join."""
        return desk.world.join(newcomer.name, newcomer.username).data()

    @router.put("/people/{person_id}/open")
    async def close(person_id: str, door: Door) -> Door:
        """Close a person's direct messages, or open them."""
        _person(desk, person_id).open = door.open
        return door

    @router.post("/people/{person_id}/messages", status_code=201)
    async def message(person_id: str, writing: Writing) -> dict[str, Any]:
        """Have a person write a direct message."""
        return _shown(write_message(desk, _person(desk, person_id), writing.text, _picture(writing)))

    @router.get("/people/{person_id}/messages")
    async def thread(person_id: str) -> list[dict[str, Any]]:
        """List the direct messages between us and a person."""
        return [_shown(one) for one in desk.world.thread(_person(desk, person_id).id)]

    @router.post("/people/{person_id}/chats", status_code=201)
    async def chat(person_id: str) -> dict[str, Any]:
        """Have a person write an encrypted message."""
        return _shown(write_chat(desk, _person(desk, person_id)))

    @router.post("/people/{person_id}/posts", status_code=201)
    async def post(person_id: str, writing: Writing) -> dict[str, Any]:
        """Have a person post in public."""
        person = _person(desk, person_id)
        return _shown(write_post(desk, person, writing.text, writing.answers, _picture(writing)))

    @router.get("/posts")
    async def posts() -> list[dict[str, Any]]:
        """List the public posts."""
        return [_shown(one) for one in desk.world.posts.values()]


def _account(router: APIRouter, desk: Desk) -> None:
    @router.get("/account")
    async def account() -> dict[str, Any]:
        """Say how things stand."""
        return {
            "user_id": desk.world.us.id,
            "credits": desk.account.credits,
            "refreshes": desk.account.refreshes,
            "valid": desk.hooks.valid,
            "waiting": desk.hooks.waiting,
            "delivered": desk.hooks.delivered,
            "lost": desk.hooks.lost,
        }

    @router.patch("/account")
    async def change(given: Circumstances) -> dict[str, Any]:
        """Change how things stand."""
        if given.credits is not None:
            desk.account.credits = None if given.credits < 0 else given.credits
        for place, names in ((desk.account, ("limited", "enrolled")), (desk.hooks, ("valid", "calling"))):
            for name in names:
                if (value := getattr(given, name)) is not None:
                    setattr(place, name, value)
        if given.expire:
            desk.account.expire()
        if given.revoke:
            desk.account.revoke()
        return await account()


def _faults(router: APIRouter, desk: Desk) -> None:
    @router.post("/faults", status_code=201)
    async def add(fault: Fault) -> list[Fault]:
        """Ask for a fault."""
        desk.faults.add(fault)
        return desk.faults.all()

    @router.delete("/faults", status_code=204)
    async def clear() -> None:
        """Clear all faults."""
        desk.faults.clear()


def _person(desk: Desk, person_id: str) -> Person:
    person = desk.world.people.get(person_id)
    if person is None or person is desk.world.us:
        raise HTTPException(404, "there is no such person")
    return person


def _picture(writing: Writing) -> bytes | None:
    try:
        return base64.b64decode(writing.picture, validate=True) if writing.picture else None
    except binascii.Error:
        raise HTTPException(422, "the picture is no base64") from None


def _shown(said: Words) -> dict[str, Any]:
    return {"id": said.id, "author": said.author, "to": said.to, "text": said.text, "at": said.iso}
