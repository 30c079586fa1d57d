"""The orders of what a person writes: its words are stored as a draft, which the order names."""

from datetime import timedelta

from models.errors import Refused
from models.incidents import known_matter
from models.letters import FINALS, LetterKind
from records import bindings
from starter.admin.answer_bodies import ResolveBody, SetPointsBody
from starter.admin.bodies import (
    OpenIncidentBody,
    ReclassifyBody,
    RefuseErasureBody,
    ReplyBody,
    RequestIdentityBody,
    RequestInformationBody,
)
from starter.admin.counted_orders import named_cause
from starter.admin.gate import Finished
from starter.admin.points import RAISED, worded
from starter.admin.writer import OrderData, Writer

INCIDENT = "incident"
"""The kind of draft that holds what specialists must know."""


def reply(by: Writer, body: ReplyBody) -> OrderData:
    """A letter to the user or to the authority."""
    if body.to == "authority" and not by.policy.authority.email:
        raise Refused(
            "authority.no-address",
            "the policy names no e-mail of the authority, so the letter could not leave; set authority.email there",
            field="to",
            rule="M3.10",
        )
    kind = LetterKind.REPLY if body.to == "user" else LetterKind.AUTHORITY_REPLY
    return {"draft": by.draft(kind, {"text": body.text}), "to": body.to}


def resolve(by: Writer, body: ResolveBody) -> OrderData:
    """The final answer."""
    by.is_of_the_staff()
    finished = Finished(by.session, by.case, body)
    finished.hold()
    despite = body.model_dump(mode="json", exclude_none=True, include={"despite_incident", "despite_language"})
    cause = {"cause": named_cause(by, body.cause)} if body.cause else {}
    draft = by.draft(FINALS[body.outcome], finished.content)
    answers = {"answers": list(finished.answers)} if finished.answers else {}
    return {"outcome": body.outcome.value, "draft": draft, **answers, **despite, **cause}


def set_points(by: Writer, body: SetPointsBody) -> OrderData:
    """The points with their words kept as a draft."""
    points = worded(by.session, by.case, body.points)
    told = [
        {"id": one["id"], "message": one.get("message"), "dropped": "dropped" in one, "why": one.get("dropped")}
        for one in points
    ]
    return {"draft": by.draft(RAISED, {"points": points}), "points": told}


def open_incident(by: Writer, body: OpenIncidentBody) -> OrderData:
    """What the specialists must know, kept as a draft."""
    known_matter(by.policy.tracker.matters, body.matter)
    return {"area": body.area, "matter": body.matter, "draft": by.draft(INCIDENT, {"text": body.text})}


def request_information(by: Writer, body: RequestInformationBody) -> OrderData:
    """The letter that asks for what is missing."""
    content = body.model_dump(mode="json", include={"items"})
    return {"draft": by.draft(LetterKind.INFORMATION_REQUEST, content), "by": body.by.isoformat()}


def request_identity(by: Writer, body: RequestIdentityBody) -> OrderData:
    """The letter with a code of its own, which the operator's portal confirms."""
    wanted, case = by.policy.identity, by.case
    life = timedelta(hours=wanted.link_hours)
    number, ends_at = bindings.number(
        by.session, case.contact, by.reference, by.secret, made_by=by.actor.id, now=by.now, life=life
    )
    link = {"link": f"{wanted.link}?code={number}", "link_ends": ends_at.isoformat()}
    return {"draft": by.draft(LetterKind.IDENTITY_REQUEST, {"reasons": body.reasons, **link})}


def reclassify(by: Writer, body: ReclassifyBody) -> OrderData:
    """With a text, the letter that tells the user."""
    told = {"draft": by.draft(LetterKind.REPLY, {"text": body.text})} if body.text else {}
    return {"kind": body.kind.value, "reasons": body.reasons, **told}


def refuse_erasure(by: Writer, body: RefuseErasureBody) -> OrderData:
    """The reply that refuses."""
    return {"draft": by.draft(LetterKind.REPLY, {"text": body.text})}
