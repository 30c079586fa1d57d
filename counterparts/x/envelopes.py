"""Events of the X Activity API as X posts them."""

import secrets
from typing import Any

from counterparts.x.world import Picture, Words, World


def envelope(
    world: World, kind: str, payload: dict[str, Any], includes: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The frame of every event; its `event_uuid` is a signed number as a string."""
    data: dict[str, Any] = {
        "event_uuid": str(secrets.randbits(63) - (1 << 62)),
        "filter": {"user_id": world.us.id},
        "event_type": kind,
        "tag": kind.replace(".", "-"),
        "payload": payload,
    }
    return {"data": data if includes is None else {**data, "includes": includes}}


def direct(world: World, said: Words) -> dict[str, Any]:
    """A direct message, in the older shape that such events have: `dm.sent` where it is ours."""
    data: dict[str, Any] = {
        "text": said.text,
        "entities": {"hashtags": [], "symbols": [], "user_mentions": [], "urls": list(said.urls)},
    }
    if said.picture:
        link = f"https://t.co/{said.picture.id[-10:]}"
        data["text"] = f"{said.text} {link}".strip()
        address = _private(said)
        data["attachment"] = {
            "type": "media",
            "media": {
                "id": int(said.picture.id),
                "id_str": said.picture.id,
                "media_url": address,
                "media_url_https": address,
                "url": link,
                "type": "photo",
            },
        }
    payload = {
        "direct_message_events": [
            {
                "type": "message_create",
                "id": said.id,
                "created_timestamp": str(said.at),
                "message_create": {
                    "target": {"recipient_id": said.to},
                    "sender_id": said.author,
                    "message_data": data,
                },
            }
        ],
        "users": {one: {"data": world.people[one].data()} for one in (said.author, said.to)},
    }
    return envelope(world, "dm.sent" if said.author == world.us.id else "dm.received", payload)


def encrypted(world: World, said: Words) -> dict[str, Any]:
    """An encrypted chat message: ciphertext, and who sent it when."""
    payload = {
        "conversation_token": secrets.token_urlsafe(40),
        "id": f"{said.id}-{secrets.token_hex(4)}",
        "created_at_msec": str(said.at),
        "sender_id": said.author,
        "conversation_id": f"{said.author}:{world.us.id}",
        "conversation_key_version": "1768236281331",
        "encoded_event": secrets.token_urlsafe(120),
        "conversation_key_change_event": secrets.token_urlsafe(60),
        "message_event_signature": {"signature": secrets.token_urlsafe(64), "signature_version": "7"},
    }
    return envelope(world, "chat.received", payload)


def public(world: World, said: Words, kind: str) -> dict[str, Any]:
    """A post that names us or answers us."""
    includes = {"users": [world.people[said.author].data(), world.us.data()], "tweets": [post(said)]}
    if said.picture:
        includes["media"] = [shown(said.picture)]
    return envelope(world, kind, post(said), includes)


def shown(picture: Picture) -> dict[str, Any]:
    """The picture of a post."""
    return {"media_key": f"3_{picture.id}", "type": "photo", "url": f"https://pbs.twimg.com/media/{picture.file}"}


def post(said: Words) -> dict[str, Any]:
    """A post in the newer shape."""
    shown: dict[str, Any] = {
        "id": said.id,
        "author_id": said.author,
        "created_at": said.iso,
        "conversation_id": said.to or said.id,
        "edit_history_tweet_ids": [said.id],
        "lang": "und",
        "text": said.text,
        "entities": {"urls": list(said.urls)},
    }
    if said.to:
        shown["referenced_tweets"] = [{"type": "replied_to", "id": said.to}]
    if said.picture:
        shown["attachments"] = {"media_keys": [f"3_{said.picture.id}"]}
    return shown


def listed(said: Words, fields: set[str]) -> dict[str, Any]:
    """A direct message in the newer shape, with the fields asked for."""
    known: dict[str, Any] = {
        "id": said.id,
        "event_type": "MessageCreate",
        "text": said.text,
        "sender_id": said.author,
        "created_at": said.iso,
        "dm_conversation_id": "-".join(sorted((said.author, said.to), key=int)),
        "entities": {"urls": list(said.urls)},
    }
    if said.picture:
        known["attachments"] = {"media_keys": [f"3_{said.picture.id}"]}
    return {name: value for name, value in known.items() if name in fields | {"id", "event_type", "text"}}


def pictured(said: Words) -> dict[str, Any]:
    """The picture of a direct message, in the newer shape."""
    key = said.picture.id if said.picture else ""
    return {"media_key": f"3_{key}", "type": "photo", "url": _private(said)}


def _private(said: Words) -> str:
    if said.picture is None:
        return ""
    return f"https://ton.twitter.com/1.1/ton/data/dm/{said.id}/{said.picture.id}/{said.picture.file}"
