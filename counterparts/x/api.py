"""X's API: what the account and the app may ask, checked and refused as X does."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from channels.x.wording import LONGEST_MESSAGE, LONGEST_POST, weight
from counterparts.x import envelopes, problems
from counterparts.x.desk import Desk, answered, refused
from counterparts.x.world import Words, World

_LONGEST_PAGE = 100
_ID = re.compile(r"[0-9]{1,19}")


def api_router(desk: Desk) -> APIRouter:
    """All of X's own routes."""
    router = APIRouter()
    for build in (_tokens, _sending, _reading, _webhooks):
        build(router, desk)
    return router


def _tokens(router: APIRouter, desk: Desk) -> None:
    @router.post("/2/oauth2/token")
    @answered
    async def token(request: Request) -> Response:
        """Exchange a refresh token."""
        form = {name: str(value) for name, value in (await request.form()).items()}
        known = desk.account.credentials
        if (fault := desk.faults.take("status")) is not None:
            raise refused(fault)
        if _basic(request) != (known.client_id, known.client_secret) or form.get("client_id") != known.client_id:
            why = {"error": "unauthorized_client", "error_description": "Missing valid authorization header"}
            return JSONResponse(why, 401)
        if form.get("grant_type") != "refresh_token":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        pair = desk.account.refreshed(form.get("refresh_token", ""))
        if pair is None:
            why = {"error": "invalid_grant", "error_description": "Value passed for the token was invalid."}
            return JSONResponse(why, 400)
        return JSONResponse(pair)


def _sending(router: APIRouter, desk: Desk) -> None:
    @router.post("/2/dm_conversations/with/{participant_id}/messages")
    @answered
    async def send(request: Request, participant_id: str) -> Response:
        """Send a direct message."""
        headers = await desk.user(request, "dm_send")
        body = await _json(request)
        person = desk.world.people.get(participant_id)
        if not _ID.fullmatch(participant_id) or person is None or person is desk.world.us:
            raise problems.invalid("participant_id", participant_id, "The `participant_id` value is not valid")
        text = body.get("text")
        if not isinstance(text, str) or not text.strip() or len(text) > LONGEST_MESSAGE:
            raise problems.invalid("text", "", "The `text` must be of 1 to 10000 characters")
        if not person.open:
            raise problems.forbidden(problems.NOT_ALLOWED_TO_WRITE)
        said = desk.world.message(desk.world.us.id, person.id, text)
        desk.hooks.tell(envelopes.direct(desk.world, said))
        conversation = "-".join(sorted((person.id, desk.world.us.id), key=int))
        data = {"dm_conversation_id": conversation, "dm_event_id": said.id}
        return await desk.answer({"data": data}, 201, headers)

    @router.post("/2/tweets")
    @answered
    async def post(request: Request) -> Response:
        """Answer a post in public."""
        headers = await desk.user(request, "tweets")
        body = await _json(request)
        text, reply = body.get("text"), body.get("reply")
        if not isinstance(text, str) or not text.strip():
            raise problems.invalid("text", "", "The `text` is missing")
        if weight(text) > LONGEST_POST:
            raise problems.forbidden(problems.TOO_LONG)
        answers = str(reply.get("in_reply_to_tweet_id", "")) if isinstance(reply, dict) else ""
        if (answers, text) in desk.world.published:
            raise problems.forbidden(problems.DUPLICATE)
        if answers:
            answered_post = desk.world.posts.get(answers)
            if answered_post is None:
                raise problems.forbidden(problems.DELETED)
            if not desk.world.summoned(answered_post):
                raise problems.forbidden(problems.NOT_SUMMONED)
        said = desk.world.post(desk.world.us.id, text, answers)
        desk.world.published.add((answers, text))
        data = {"id": said.id, "text": said.text, "edit_history_tweet_ids": [said.id]}
        return await desk.answer({"data": data}, 201, headers)


def _reading(router: APIRouter, desk: Desk) -> None:
    @router.get("/2/users/me")
    @answered
    async def me(request: Request) -> Response:
        """Show our account."""
        headers = await desk.user(request, "users_me")
        return JSONResponse({"data": desk.world.us.data()}, headers=headers)

    @router.get("/2/dm_events")
    @answered
    async def events(request: Request) -> Response:
        """List direct messages, newest first."""
        headers = await desk.user(request, "dm_events")
        return JSONResponse(_page(desk.world, request.query_params), headers=headers)

    @router.get("/2/users/{user_id}/mentions")
    @answered
    async def mentions(request: Request, user_id: str) -> Response:
        """List posts that name our account or answer it, newest first."""
        headers = await desk.user(request, "mentions")
        if user_id != desk.world.us.id:
            raise problems.invalid("id", user_id, "This stand-in lists the mentions of its own account alone")
        return JSONResponse(_mentions(desk.world, request.query_params), headers=headers)

    @router.get("/2/dm_conversations/media/{dm_id}/{media_id}/{resource_id}")
    @answered
    async def media(request: Request, dm_id: str, media_id: str, resource_id: str) -> Response:
        """Give the picture of a direct message."""
        headers = await desk.user(request, "dm_media")
        for one in desk.world.messages:
            if one.id == dm_id and one.picture and (one.picture.id, one.picture.file) == (media_id, resource_id):
                return Response(one.picture.content, media_type="image/png", headers=headers)
        raise problems.plain(404, "Not Found")

    @router.get("/pbs.twimg.com/media/{file}")
    @answered
    async def picture(request: Request, file: str) -> Response:  # noqa: ARG001 - as every route
        """Give the picture of a post, from the place of X's open server."""
        found = desk.world.picture(file)
        if found is None:
            return Response(status_code=404)
        return Response(found.content, media_type="image/png")


def _webhooks(router: APIRouter, desk: Desk) -> None:
    @router.get("/2/webhooks")
    @answered
    async def listed(request: Request) -> Response:
        """List the webhook."""
        desk.account.check_app(request.headers.get("authorization", ""))
        headers, hooks = desk.account.count("webhooks"), desk.hooks
        found = [{"id": hooks.id, "url": hooks.url, "valid": hooks.valid}] if hooks.url else []
        return JSONResponse({"data": found, "meta": {"result_count": len(found)}}, headers=headers)

    @router.put("/2/webhooks/{webhook_id}")
    @answered
    async def validate(request: Request, webhook_id: str) -> Response:
        """Validate the webhook again."""
        desk.account.check_app(request.headers.get("authorization", ""))
        headers = desk.account.count("webhooks")
        if webhook_id != desk.hooks.id or desk.hooks.url is None:
            raise problems.plain(400, "WebhookIdInvalid")
        if not await desk.hooks.handshake():
            raise problems.plain(400, "CrcValidationFailed", "The webhook did not answer the CRC check correctly.")
        return JSONResponse({"data": {"valid": True}}, headers=headers)


def _page(world: World, query: Mapping[str, str]) -> dict[str, Any]:
    """A page of the direct messages. Raises Refusal."""
    page, meta = _part(world.listed(), query, least=1)
    fields = set(query.get("dm_event.fields", "").split(","))
    expansions, includes = query.get("expansions", "").split(","), dict[str, Any]()
    if "sender_id" in expansions:
        includes["users"] = _writers(world, page)
    if "attachments.media_keys" in expansions:
        includes["media"] = [envelopes.pictured(one) for one in page if one.picture]
    return {"data": [envelopes.listed(one, fields) for one in page], "includes": includes, "meta": meta}


def _mentions(world: World, query: Mapping[str, str]) -> dict[str, Any]:
    """A page of the mentions. Raises Refusal."""
    since = query.get("since_id", "0")
    if not _ID.fullmatch(since):
        raise problems.invalid("since_id", since, "The `since_id` query parameter value is not valid")
    page, meta = _part(world.mentions(int(since)), query, least=5)
    expansions, includes = query.get("expansions", "").split(","), dict[str, Any]()
    if "author_id" in expansions:
        includes["users"] = _writers(world, page)
    if "attachments.media_keys" in expansions:
        includes["media"] = [envelopes.shown(one.picture) for one in page if one.picture]
    # X leaves an empty list out.
    found = {"data": [envelopes.post(one) for one in page], "includes": includes} if page else {}
    return {**found, "meta": meta}


def _writers(world: World, page: list[Words]) -> list[dict[str, Any]]:
    return [world.people[one].data() for one in {said.author for said in page}]


def _part(listed: list[Words], query: Mapping[str, str], least: int) -> tuple[list[Words], dict[str, Any]]:
    """The part of a list that a page shows, of `least` at least, and what X says about it. Raises Refusal."""
    asked, token = query.get("max_results", "100"), query.get("pagination_token", "")
    if not re.fullmatch(r"[0-9]{1,3}", asked) or not least <= int(asked) <= _LONGEST_PAGE:
        raise problems.invalid("max_results", asked, f"The `max_results` query parameter value is not {least} to 100")
    if token and not re.fullmatch(r"before[0-9]{1,19}", token):
        raise problems.invalid("pagination_token", token, "The `pagination_token` value is not valid")
    before = int(token.removeprefix("before")) if token else None
    every = [one for one in listed if before is None or int(one.id) < before]
    page = every[: int(asked)]
    meta: dict[str, Any] = {"result_count": len(page)}
    if len(every) > len(page):
        meta["next_token"] = f"before{page[-1].id}"
    return page, meta


async def _json(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise problems.invalid("body", "", "The request's body is no JSON object")
    return body


def _basic(request: Request) -> tuple[str, str]:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return (name, secret) if scheme.lower() == "basic" else ("", "")
