"""Refusals in X's own words: problem documents."""

from typing import Any

from fastapi.responses import JSONResponse

_TYPES = "https://api.twitter.com/2/problems/"

NOT_ALLOWED_TO_WRITE = "You do not have permission to DM one or more participants."
DUPLICATE = "You are not allowed to create a Tweet with duplicate content."
TOO_LONG = (
    "Your Tweet text is too long. For more information on how Twitter determines text length see"
    " https://github.com/twitter/twitter-text."
)
NOT_SUMMONED = (
    "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by the author"
    " of the post you are replying to."
)
DELETED = "You attempted to reply to a Tweet that is deleted or not visible to you."


class Refusal(Exception):
    """An answer other than an acceptance."""

    def __init__(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self.response = JSONResponse(body, status, headers, media_type="application/problem+json")


def plain(status: int, title: str, detail: str = "", headers: dict[str, str] | None = None) -> Refusal:
    """A refusal of no type of its own."""
    return Refusal(
        status, {"title": title, "detail": detail or title, "type": "about:blank", "status": status}, headers
    )


def forbidden(detail: str) -> Refusal:
    """Known to X, and not allowed."""
    return plain(403, "Forbidden", detail)


def invalid(parameter: str, value: str, message: str) -> Refusal:
    """A parameter that is not as it should be."""
    return Refusal(
        400,
        {
            "errors": [{"parameters": {parameter: [value]}, "message": message}],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": f"{_TYPES}invalid-request",
        },
    )


def app_only() -> Refusal:
    """The app's own token where the account's is asked for."""
    return Refusal(
        403,
        {
            "title": "Unsupported Authentication",
            "detail": "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint.  Supported"
            " authentication types are [OAuth 1.0a User Context, OAuth 2.0 User Context].",
            "type": f"{_TYPES}unsupported-authentication",
            "status": 403,
        },
    )


def no_credits(account: str) -> Refusal:
    """The account has nothing left to pay with."""
    return Refusal(
        402,
        {
            "title": "CreditsDepleted",
            "detail": f"Your enrolled account [{account}] does not have any credits to fulfill this request.",
            "type": f"{_TYPES}credits",
        },
    )


def not_enrolled() -> Refusal:
    """The app lacks access to the API."""
    return Refusal(
        403,
        {
            "title": "Client Forbidden",
            "detail": "When authenticating requests to the Twitter API v2 endpoints, you must use keys and tokens from"
            " a Twitter developer App that is attached to a Project.",
            "reason": "client-not-enrolled",
            "required_enrollment": "Appropriate Level of API Access",
            "type": f"{_TYPES}client-forbidden",
        },
    )
