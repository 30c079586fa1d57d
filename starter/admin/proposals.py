"""A proposal as its approver sees it: what was written, by when it is owed, and the very letters that would leave."""

from functools import cached_property
from typing import Any

from sqlmodel import Session

from activities.composing import Stationery, compose
from models.case import Case
from models.commands import DECISIONS, read
from models.episodes import Proposal
from models.errors import ChannelError, Missing, Refused
from models.letters import Letter
from records import bindings, documents
from starter.admin.answer_views import ProposalView
from starter.admin.desk import Desk
from starter.admin.letter_views import PreviewView
from starter.admin.points import points_of
from starter.http.problems import faults


class Preview:
    """Writes letters for reading alone; nothing is kept and nothing leaves."""

    def __init__(self, desk: Desk) -> None:
        """Write with the operator's templates, which are read at the first look."""
        self._desk = desk

    @cached_property
    def stationery(self) -> Stationery:
        """What the worker writes letters with."""
        return Stationery.of(self._desk.settings, self._desk.policy)

    def show(self, session: Session, case: Case, proposal: Proposal) -> ProposalView:
        """Show a proposal, decided on a copy of the case."""
        after, refused = case.model_copy(deep=True), None
        try:
            order = read(proposal.command, proposal.order)
            DECISIONS[proposal.command][1](after, order, proposal.proposer, self._desk.clock())
        except Refused as refusal:
            refused = faults([Missing(refusal.field, refusal.detail, refusal.rule)])[0]
        known = {one.key for one in case.letters}
        letters = [] if refused else [one for one in after.letters if one.key not in known and not one.copy_of]
        draft = proposal.order.get("draft")
        return ProposalView(
            command=proposal.command,
            order=proposal.order,
            draft=_shown(documents.draft(session, draft["id"]).content) if draft else {},
            proposer=proposal.proposer.id,
            at=proposal.at,
            due=case.proposal_due,
            stale=case.proposal_stale,
            refused=refused,
            dropped=tuple(one for one in points_of(session, case).points if one.dropped),
            letters=tuple(view for one in letters if (view := self._letter(session, after, one))),
        )

    def _letter(self, session: Session, case: Case, letter: Letter) -> PreviewView | None:
        """The letter in words; None where it could not be written, such as without an address."""
        try:
            notice = compose(session, case, letter, self.stationery, self._desk.clock())
        except ChannelError:
            return None
        return PreviewView.model_validate(notice)


def _shown(content: dict[str, Any]) -> dict[str, Any]:
    return {name: bindings.masked(part) if isinstance(part, str) else part for name, part in content.items()}
