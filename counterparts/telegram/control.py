"""What a test asks of the stand-in, as JSON: people, what they do, what stands in a chat, faults."""

import base64
import binascii
import json
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from counterparts.telegram.faults import Fault, Faults
from counterparts.telegram.people import File, Person
from counterparts.telegram.town import Message, Town
from counterparts.telegram.updates import Updates


class NewPerson(BaseModel):
    """Somebody new."""

    first_name: Annotated[str, Field(min_length=1, max_length=64)]
    last_name: Annotated[str, Field(max_length=64)] = ""
    username: Annotated[str, Field(max_length=32)] = ""
    language: Annotated[str, Field(max_length=10)] = "es"


class NewGroup(BaseModel):
    """A new group."""

    title: Annotated[str, Field(min_length=1, max_length=128)]


class NewFile(BaseModel):
    """A file to be sent: `content` is base64; `size` is what it claims to have, where that differs."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    content_type: str = "application/octet-stream"
    content: str = ""
    size: Annotated[int, Field(ge=0)] | None = None

    def file(self) -> File:
        """The file. Raises HTTPException."""
        try:
            content = base64.b64decode(self.content, validate=True)
        except binascii.Error:
            raise HTTPException(422, "the content is no base64") from None
        return File(self.name, self.content_type, content, len(content) if self.size is None else self.size)


class Writing(BaseModel):
    """What a person writes: in private, or in the group `chat`. More than one file makes an album.

    `contents` is any other content of a message, as the Bot API shows it.
    """

    text: str = ""
    chat: int | None = None
    reply_to: int | None = None
    files: list[NewFile] = []
    contents: dict[str, Any] | None = None


class Editing(BaseModel):
    """New words for a message."""

    message_id: int
    text: str
    chat: int | None = None


def control_router(town: Town, updates: Updates, faults: Faults) -> APIRouter:
    """All routes below `/api`."""
    router = APIRouter(prefix="/api")
    _people(router, town)
    _deeds(router, town, updates)
    _faults(router, faults)
    return router


def _people(router: APIRouter, town: Town) -> None:
    @router.post("/people", status_code=201)
    async def add_person(new: NewPerson) -> dict[str, Any]:
        """Add somebody."""
        return town.add_person(**new.model_dump()).user

    @router.get("/people")
    async def people() -> list[dict[str, Any]]:
        """List everybody."""
        return [{**one.user, "started": one.started, "blocked": one.blocked} for one in town.people.values()]

    @router.post("/groups", status_code=201)
    async def add_group(new: NewGroup) -> dict[str, Any]:
        """Add a group."""
        return town.add_group(new.title).chat

    @router.get("/chats/{chat}/messages")
    async def messages(chat: int) -> list[Message]:
        """List what stands in a chat."""
        return town.messages(chat)


def _deeds(router: APIRouter, town: Town, updates: Updates) -> None:
    @router.post("/people/{person_id}/messages", status_code=201)
    async def write(person_id: int, writing: Writing) -> list[Message]:
        """Write to the bot or in a group."""
        person, chat = place(town, person_id, writing.chat)
        if writing.contents is not None:
            _handed_over(writing.contents)
            return [town.post(person, chat, writing.contents)]
        return town.say(person, chat, writing.text, [one.file() for one in writing.files], writing.reply_to)

    @router.post("/people/{person_id}/edits", status_code=201)
    async def edit(person_id: int, editing: Editing) -> Message:
        """Put a message into other words."""
        return edited(town, person_id, editing)

    @router.post("/people/{person_id}/block", status_code=204)
    async def block(person_id: int) -> None:
        """Block the bot."""
        town.set_blocked(found(town, person_id), blocked=True)

    @router.post("/people/{person_id}/unblock", status_code=204)
    async def unblock(person_id: int) -> None:
        """Take the bot back."""
        town.set_blocked(found(town, person_id), blocked=False)

    @router.get("/updates")
    async def waiting() -> dict[str, int]:
        """Count the updates that wait, and the questions for them that are being held."""
        return {"waiting": updates.pending, "asking": updates.asking}

    @router.post("/updates", status_code=202)
    async def push(update: dict[str, Any]) -> None:
        """Hand over an update as it is, whatever it is; one that no answer could hold is refused."""
        _handed_over(update)
        updates.push_raw(update, 0)


def _faults(router: APIRouter, faults: Faults) -> None:
    @router.post("/faults", status_code=201)
    async def add(fault: Fault) -> list[Fault]:
        """Ask for a fault."""
        faults.add(fault)
        return faults.all()

    @router.get("/faults")
    async def waiting() -> list[Fault]:
        """List the faults that wait."""
        return faults.all()

    @router.delete("/faults", status_code=204)
    async def clear() -> None:
        """Clear all faults."""
        faults.clear()


def _handed_over(value: dict[str, Any]) -> None:
    """Raise HTTPException for what no answer could hold: half a character, a number beyond all numbers."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise HTTPException(422, "this cannot be written as JSON, so Telegram would never hand it over") from None


def found(town: Town, person_id: int) -> Person:
    """A person. Raises HTTPException."""
    person = town.people.get(person_id)
    if person is None:
        raise HTTPException(404, "there is no such person")
    return person


def place(town: Town, person_id: int, chat: int | None) -> tuple[Person, int]:
    """A person and where they write: in private where no group is named. Raises HTTPException."""
    person = found(town, person_id)
    if chat is not None and chat != person_id and chat not in town.groups:
        raise HTTPException(404, "there is no such group")
    if person.blocked and chat in {None, person_id}:
        raise HTTPException(409, "they blocked the bot; unblock it first")
    return person, person_id if chat is None else chat


def edited(town: Town, person_id: int, editing: Editing) -> Message:
    """Edit a person's own message. Raises HTTPException."""
    _, chat = place(town, person_id, editing.chat)
    before = town.message(chat, editing.message_id)
    if before is None or before["from"]["id"] != person_id:
        raise HTTPException(404, "they wrote no such message there")
    return town.edit(chat, editing.message_id, editing.text)
