"""Events of the X Activity API as the vendor's documentation shows them, with other names."""

import copy
from typing import Any

US, ANA = "1111111111111111111", "2222222222222222222"

DIRECT: dict[str, Any] = {
    "data": {
        "event_uuid": "-6850472171600526495",
        "filter": {"user_id": US},
        "event_type": "dm.received",
        "tag": "dm-inbound",
        "payload": {
            "direct_message_events": [
                {
                    "type": "message_create",
                    "id": "2080765901528535096",
                    "created_timestamp": "1784928224372",
                    "message_create": {
                        "target": {"recipient_id": US},
                        "sender_id": ANA,
                        "message_data": {
                            "text": "¿Dónde está mi retiro? Tarifas &lt; 1 &amp; https://t.co/abc123",
                            "entities": {
                                "hashtags": [],
                                "symbols": [],
                                "user_mentions": [],
                                "urls": [{"url": "https://t.co/abc123", "expanded_url": "https://example.org/recibo"}],
                            },
                        },
                    },
                }
            ],
            "users": {
                ANA: {"data": {"id": ANA, "name": "Ana", "username": "ana_x", "verified_type": "none"}},
                US: {"data": {"id": US, "name": "Help", "username": "help"}},
            },
        },
    }
}

CHAT: dict[str, Any] = {
    "data": {
        "event_uuid": "8511582263942905822",
        "filter": {"user_id": US},
        "event_type": "chat.received",
        "tag": "chat-inbound",
        "payload": {
            "conversation_token": "eyJhbGciOiJIUzI1NiJ9.e30",
            "id": "e4f4d3fc-8bbf-4928-92eb-e5058d6bb6f6",
            "created_at_msec": "1784841183370",
            "sender_id": ANA,
            "conversation_id": f"{ANA}:{US}",
            "encoded_event": "CwABAAAAEzIwODA0MDA4MjUyMjcxMDAxNjALAAIA",
            "message_event_signature": {"signature": "6IK9SZ", "signature_version": "7"},
        },
    }
}

MENTION: dict[str, Any] = {
    "data": {
        "event_uuid": "2080765813578191303",
        "filter": {"user_id": US},
        "event_type": "post.mention.create",
        "tag": "mentions",
        "payload": {
            "created_at": "2026-07-24T21:23:23.000Z",
            "conversation_id": "2080765813578191303",
            "text": "hey @help, my withdrawal is missing",
            "entities": {"mentions": [{"start": 4, "end": 9, "username": "help", "id": US}]},
            "author_id": ANA,
            "id": "2080765813578191303",
            "lang": "en",
        },
        "includes": {"users": [{"id": ANA, "name": "Ana", "username": "ana_x"}], "tweets": []},
    }
}


def changed(event: dict[str, Any], *path: str | int, to: Any) -> dict[str, Any]:
    """A copy of an event with another value at a path below `data`."""
    copied = copy.deepcopy(event)
    place: Any = copied["data"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return copied


MESSAGE: tuple[str | int, ...] = ("payload", "direct_message_events", 0)
