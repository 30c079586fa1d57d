"""One route for every command. One request's way into a case stands in `starter.admin.commanding`."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Response

from models.episodes import Answer
from models.errors import Malformed, Refused
from starter.admin.api import COMMANDING, Here, IdempotencyKey, Reference, private
from starter.admin.bodies import Body as CommandBody
from starter.admin.case_views import checked
from starter.admin.catalogue import BODIES, EXAMPLES
from starter.admin.commanding import Wish, fulfil
from starter.admin.inquiries import etag
from starter.admin.rights import Caller, OwnAreas, Sight, turned_down
from starter.http.plain_json import PlainJsonRoute

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=40, description='The ETag of the inquiry as it was read, such as `"12"`.'),
]

router = APIRouter(prefix="/api", route_class=PlainJsonRoute, dependencies=[private])


def expected(if_match: str | None) -> int | None:
    """The version that an If-Match names; None without one. Raises Malformed."""
    text = (if_match or "*").strip()
    if text == "*":
        return None
    digits = text.removeprefix("W/").strip('"')
    if not (digits.isascii() and digits.isdigit()):
        raise Malformed("version.malformed", 'If-Match wants the ETag as it was given, such as "12"', field="If-Match")
    return int(digits)


def _add_route(name: str, body_model: type[CommandBody]) -> None:
    # What a command carries of its own is optional only where every field is.
    empty = not any(field.is_required() for field in body_model.model_fields.values())

    async def command(
        *,
        desk: Here,
        actor: Caller,
        eyes: Sight,
        areas: OwnAreas,
        reference: Reference,
        body: Any,
        response: Response,
        idempotency_key: IdempotencyKey = None,
        if_match: IfMatch = None,
    ) -> Answer:
        wish = Wish(name, checked(reference), body, actor, idempotency_key, expected(if_match), eyes, areas)
        try:
            answer = await fulfil(desk, wish)
        except Refused as refusal:
            if not isinstance(refusal, Malformed):
                await asyncio.to_thread(turned_down, desk, actor, name, wish.reference, refusal.code)
            raise
        response.headers["ETag"] = etag(answer.version)
        return answer

    example = Body(openapi_examples={"example": {"value": EXAMPLES[name]}})
    command.__annotations__["body"] = Annotated[body_model, example]
    command.__name__ = name
    command.__doc__ = body_model.__doc__
    router.post(
        f"/inquiries/{{reference}}/{name}",
        tags=["commands"],
        operation_id=name,
        responses=COMMANDING,
        summary=name.replace("_", " "),
        description=body_model.__doc__,
        openapi_extra={"requestBody": {"required": not empty}},
    )(command)


for _name, _body in BODIES.items():
    _add_route(_name, _body)
