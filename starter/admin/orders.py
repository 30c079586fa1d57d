"""From what a caller sent to what a case decides on: stores what people wrote, and fills in what only the records know.

Everything here runs inside one write transaction of the records database, and gives JSON data: an order without actor,
key and version.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session

from models.assignment import may_claim, may_own
from models.case import Case
from models.commands import DECISIONS
from models.errors import Refused
from models.incidents import known_matter
from models.inquiry import EMAIL, Actor, ActorId, Role
from models.letters import FINALS, LetterKind
from models.obligations import ObligationKind
from models.policy import Policy
from models.reference import is_reference
from models.rights import Eyes, Kept
from records import bindings, cases, colleagues, contacts, documents, messages, staff
from starter.admin.bodies import (
    BODIES,
    AcceptRepresentativeBody,
    AssignBody,
    Body,
    ClaimBody,
    HandOverBody,
    MergeBody,
    OpenIncidentBody,
    ProposeBody,
    ReclassifyBody,
    RefuseErasureBody,
    ReplyBody,
    RequestIdentityBody,
    RequestInformationBody,
    ResolveBody,
    SetPointsBody,
    SplitBody,
)
from starter.admin.gate import Finished
from starter.admin.points import RAISED, worded
from starter.http.problems import malformed
from starter.reception.crew import member
from starter.reception.opening import Opening, open_inquiry

OrderData = dict[str, Any]

INCIDENT = "incident"
"""The kind of draft that holds what specialists must know."""

LINKING = frozenset({"link", "unlink"})

UNPROPOSABLE = LINKING | {"merge", "split", "claim"}
"""Two change two cases, which the approval of one cannot; a claim is for whoever makes it, at once."""


class Writer:
    """Makes the orders of one case for one actor; `now` is aware UTC."""

    def __init__(self, session: Session, reference: str, actor: Actor, now: datetime, policy: Policy) -> None:
        self._session, self._reference, self._actor, self._now = session, reference, actor, now
        self._policy = policy

    def order(self, command: str, body: Body) -> OrderData:
        """The order that a body means. Raises Refused and its kin."""
        make = MAKERS.get(command)
        return make(self, body) if make else body.model_dump(mode="json", exclude_none=True)

    def reply(self, body: ReplyBody) -> OrderData:
        """A letter to the user or to the authority."""
        if body.to == "authority" and not self._policy.authority.email:
            raise Refused(
                "authority.no-address",
                "the policy names no e-mail of the authority, so the letter could not leave; set authority.email there",
                field="to",
                rule="M3.10",
            )
        kind = LetterKind.REPLY if body.to == "user" else LetterKind.AUTHORITY_REPLY
        return {"draft": self._draft(kind, {"text": body.text}), "to": body.to}

    def resolve(self, body: ResolveBody) -> OrderData:
        """The final answer."""
        finished = Finished(self._session, cases.load(self._session, self._reference), body)
        finished.hold()
        despite = body.model_dump(mode="json", exclude_none=True, include={"despite_incident", "despite_language"})
        draft = self._draft(FINALS[body.outcome], finished.content)
        answers = {"answers": list(finished.answers)} if finished.answers else {}
        return {"outcome": body.outcome.value, "draft": draft, **answers, **despite}

    def set_points(self, body: SetPointsBody) -> OrderData:
        """The points with their words kept as a draft."""
        points = worded(self._session, cases.load(self._session, self._reference), body.points)
        told = [{"id": one["id"], "message": one.get("message"), "dropped": bool(one.get("dropped"))} for one in points]
        return {"draft": self._draft(RAISED, {"points": points}), "points": told}

    def open_incident(self, body: OpenIncidentBody) -> OrderData:
        """What the specialists must know, kept as a draft."""
        known_matter(self._policy.tracker.matters, body.matter)
        return {"area": body.area, "matter": body.matter, "draft": self._draft(INCIDENT, {"text": body.text})}

    def request_information(self, body: RequestInformationBody) -> OrderData:
        """The letter that asks for what is missing."""
        content = body.model_dump(mode="json", include={"items"})
        return {"draft": self._draft(LetterKind.INFORMATION_REQUEST, content), "by": body.by.isoformat()}

    def request_identity(self, body: RequestIdentityBody) -> OrderData:
        """The letter with a code of its own, which the operator's portal confirms."""
        wanted, case = self._policy.identity, cases.load(self._session, self._reference)
        life = timedelta(hours=wanted.link_hours)
        code, ends_at = bindings.make(
            self._session, case.contact, bound=False, made_by=self._actor.id, now=self._now, life=life
        )
        link = {"link": f"{wanted.link}?code={code}", "link_ends": ends_at.isoformat()}
        return {"draft": self._draft(LetterKind.IDENTITY_REQUEST, {"reasons": body.reasons, **link})}

    def accept_representative(self, body: AcceptRepresentativeBody) -> OrderData:
        """The holder's address, and the power itself, which must have come with the inquiry."""
        of_case = [row.id for row in messages.of_case(self._session, self._reference)]
        files = documents.attachments_of(self._session, of_case)
        if body.document not in {file.sha256 for of_message in files.values() for file in of_message}:
            raise Refused("representative.no-document", "no file of this inquiry has that hash", field="document")
        contact, address = contacts.find_or_add(self._session, EMAIL, body.email, now=self._now)
        known = cases.load(self._session, self._reference)
        if contact == known.contact:
            raise Refused("representative.user", "that is the user's own address", field="email")
        order = body.model_dump(mode="json", exclude={"email"})
        return {**order, "address": address.model_copy(update={"registered": False}).model_dump(mode="json")}

    def reclassify(self, body: ReclassifyBody) -> OrderData:
        """With a text, the letter that tells the user."""
        told = {"draft": self._draft(LetterKind.REPLY, {"text": body.text})} if body.text else {}
        return {"kind": body.kind.value, "reasons": body.reasons, **told}

    def request_erasure(self, body: Body) -> OrderData:
        """The same person's message must say so; after the end of this inquiry it opened another one."""
        order = body.model_dump(mode="json", exclude_none=True)
        case = cases.load(self._session, self._reference)
        try:
            asked = messages.get(self._session, order["message"])
        except KeyError:
            asked = None
        if asked is None or asked.third_party or asked.contact != case.contact:
            raise Refused("erasure.no-message", "name the user's own message that asks for it", field="message")
        return order

    def refuse_erasure(self, body: RefuseErasureBody) -> OrderData:
        """The reply that refuses."""
        return {"draft": self._draft(LetterKind.REPLY, {"text": body.text})}

    def withdraw(self, body: Body) -> OrderData:
        """The user's own message must say so."""
        order = body.model_dump(mode="json", exclude_none=True)
        of_case = messages.of_case(self._session, self._reference)
        if order["message"] not in {row.id for row in of_case if not row.third_party}:
            raise Refused(
                "withdraw.no-message",
                "name the message of this inquiry in which the user says so",
                field="message",
                rule="M5.7",
            )
        return order

    def assign(self, body: AssignBody) -> OrderData:
        """Another owner, who must be there and trained; whom the rules have found is so, or nobody is."""
        if isinstance(body, HandOverBody):
            return body.model_dump(mode="json", exclude_none=True)
        case = cases.load(self._session, self._reference)
        area = body.area or case.area
        may_own(member(self._session, self._policy, body.owner, area, self._now), case.language)
        if not self._sees(body.owner, Kept.of(case)._replace(area=area)):
            raise Refused(
                "assign.cannot-see", "the case is kept from them; name somebody who may see it", field="owner"
            )
        return body.model_dump(mode="json", exclude_none=True)

    def claim(self, _body: ClaimBody) -> OrderData:
        """Whoever asks becomes the owner."""
        case = cases.load(self._session, self._reference)
        claimant, owner = (
            member(self._session, self._policy, who, case.area, self._now) for who in (self._actor.id, case.owner)
        )
        may_claim(self._policy.assignment, claimant, owner, case.language)
        return {"owner": case.owner}

    def declare_conflict(self, body: Body) -> OrderData:
        """Whom it is about are people of the staff, and never all of compliance: nobody would be left to see it."""
        order = body.model_dump(mode="json", exclude_none=True)
        about, policy = set(order["about"]), self._policy
        people = staff.everybody(self._session)
        named = {who for area in policy.areas.values() for who in (area.representative, area.deputy)}
        compliance = {row.id for row in people if row.role == Role.COMPLIANCE} | set(policy.staff.compliance)
        known = {row.id for row in people} | named | set(policy.staff.supervisors) | compliance
        if about - known - set(cases.load(self._session, self._reference).about):
            raise Refused("conflict.unknown-person", "nobody of the staff has that id", field="about")
        if compliance <= about:
            raise Refused("conflict.all-compliance", "somebody of compliance must see it", field="about")
        return order

    def propose(self, body: ProposeBody) -> OrderData:
        """A command for another pair of eyes, its content stored now."""
        if body.command not in DECISIONS or body.command in UNPROPOSABLE:
            raise Refused("proposal.unknown", "this command cannot be proposed", field="command", rule="M5.3")
        try:
            inner = BODIES[body.command].model_validate(body.order)
        except ValidationError as error:
            raise malformed("request.malformed", error, "order") from None
        return {"command": body.command, "order": self.order(body.command, inner)}

    def split(self, body: SplitBody) -> OrderData:
        """Open the inquiry that the points go to: the same person, the reception of the message that raised them."""
        case = cases.load(self._session, self._reference)
        received = case.received_at
        if body.message is not None:
            of_case = {row.id: row.received_at for row in messages.of_case(self._session, self._reference)}
            if body.message not in of_case:
                raise Refused("split.no-message", "this inquiry has no such message", field="message", rule="M3.8")
            received = of_case[body.message]
        opening = Opening(
            channel=case.channel,
            contact=case.contact,
            addresses=tuple(a for a in case.addresses if a.id not in case.dead) or case.addresses,
            bound=case.bound,
            kind=case.kind,
            language=case.language,
            received_at=received,
            subject=cases.line(self._session, self._reference).subject,
            text="\n".join(body.points),
            refers_to=self._reference,
        )
        opened = open_inquiry(self._session, opening, self._policy, self._now, actor=self._actor)
        # No message of its own says what it is about.
        words = {"text": opening.text}
        documents.save_draft(
            self._session, opened.reference, documents.OPENING, words, author=self._actor, now=self._now
        )
        return {"other": opened.reference, "points": list(body.points)}

    def refer(self, body: Body) -> OrderData:
        """The area's question, put only where somebody who answers for it may see the case."""
        order = body.model_dump(mode="json", exclude_none=True)
        asked = self._policy.areas.get(order["area"])
        kept = Kept.of(cases.load(self._session, self._reference))
        if asked and not any(self._sees(one, kept) for one in (asked.representative, asked.deputy)):
            raise Refused(
                "referral.cannot-see",
                "the case is kept from who answers for the area; have compliance name them in the compartment first",
                field="area",
                rule="M5.4",
            )
        return order

    def _sees(self, who: ActorId, kept: Kept) -> bool:
        row = staff.person(self._session, who)
        closed = frozenset(self._policy.rights.closed_areas)
        return not kept.hidden(colleagues.eyes(self._policy, row) if row else Eyes(who, closed))

    def _draft(self, kind: str, content: Mapping[str, Any]) -> OrderData:
        draft = documents.save_draft(
            self._session, self._reference, str(kind), content, author=self._actor, now=self._now
        )
        return draft.model_dump(mode="json")


MAKERS: dict[str, Callable[[Writer, Any], OrderData]] = {
    "reply": Writer.reply,
    "set_points": Writer.set_points,
    "refer": Writer.refer,
    "resolve": Writer.resolve,
    "open_incident": Writer.open_incident,
    "request_information": Writer.request_information,
    "request_identity": Writer.request_identity,
    "accept_representative": Writer.accept_representative,
    "reclassify": Writer.reclassify,
    "withdraw": Writer.withdraw,
    "request_erasure": Writer.request_erasure,
    "refuse_erasure": Writer.refuse_erasure,
    "assign": Writer.assign,
    "claim": Writer.claim,
    "declare_conflict": Writer.declare_conflict,
    "propose": Writer.propose,
}
"""The commands whose order is more than their body."""


def link_orders(session: Session, reference: str, command: str, body: Body) -> dict[str, OrderData]:
    """The orders of `link` and `unlink` by reference: both learn of it. Raises Refused for an unknown one."""
    order = body.model_dump(mode="json")
    other = str(order["other"])
    if not is_reference(other) or not cases.reference_exists(session, other):
        raise unknown_other(command)
    return {reference: order, other: {**order, "other": reference}}


def merge_orders(session: Session, reference: str, body: MergeBody) -> dict[str, OrderData]:
    """The orders of a merge by reference: the leading case's first, since it takes over every promise.

    Raises Refused for an unknown other case.
    """
    if not is_reference(body.other) or not cases.reference_exists(session, body.other):
        raise unknown_other("merge")
    this, other = cases.load(session, reference), cases.load(session, body.other)
    orders = {reference: _merge(other, leads=body.leads), body.other: _merge(this, leads=not body.leads)}
    return dict(sorted(orders.items(), key=lambda item: not item[1]["leads"]))


def unknown_other(command: str) -> Refused:
    """The other inquiry does not exist, or not for whoever asks."""
    return Refused(f"{command}.unknown", "no inquiry bears the other reference", field="other")


def _merge(other: Case, *, leads: bool) -> OrderData:
    """What a case must be told when `other` is merged with it."""
    due = {promise.kind: promise.due.isoformat() for promise in other.owed()}
    return {
        "other": other.reference,
        "leads": leads,
        "contact": other.contact,
        "received_at": other.received_at.isoformat(),
        "acknowledgement_due": due.get(ObligationKind.ACKNOWLEDGEMENT),
        "final_due": due.get(ObligationKind.FINAL),
    }
