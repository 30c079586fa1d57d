"""The gate before a final answer, where its words are known: all that is missing, named field by field (M3.8)."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from channels.guess import language_of
from models.case import Case
from models.erasing import remembered
from models.errors import Missing
from models.gate import empty, groundless, hold, rule_of, too_short, unanswered_points, uncaused, unconsidered
from models.inquiry import Language
from models.points import folded
from models.remedies import told
from records import documents
from starter.admin.answer_bodies import ResolveBody
from starter.admin.points import points_of, words_of

NAMES = {Language.ES: "Spanish", Language.EN: "English"}


class Finished:
    """A final answer as somebody wrote it, beside the case that it is to end."""

    def __init__(self, session: Session, case: Case, body: ResolveBody) -> None:
        """Put the words of points in place of their ids, and find which kept points are answered, and which proposed.

        A remedy that was promised is told, where the answer names none itself.
        """
        kept = words_of(session, case)
        proposed = {one.id: one.point for one in points_of(session, case).proposed}
        self._case, self._body = case, body
        without = {"outcome", "despite_incident", "despite_language", "cause"}
        self.content: dict[str, Any] = body.model_dump(mode="json", exclude_none=True, exclude=without)
        if promised := told(case):
            self.content.setdefault("remedy", promised)
        words = proposed | kept
        by_words = {folded(said): point for point, said in words.items()}
        answered = []
        for written in self.content["points"]:
            written.setdefault("point", words.get(written.get("id", ""), ""))
            answered.append(written.get("id") or by_words.get(folded(written["point"]), ""))
        self.answers = tuple(dict.fromkeys(one for one in answered if one in kept))
        self._unconsidered = [one for one in proposed if one not in answered]

    def missing(self) -> dict[str, list[Missing]]:
        """Everything that is missing, under the code of the refusal that it is."""
        outcome, terms = self._body.outcome, self._case.terms
        unsaid = [*empty(outcome, documents.filled(self.content)), *groundless(outcome, self.content["points"])]
        unanswered = unanswered_points(remembered(self._case), self.answers)
        # Which codes there are the policy says; here one was named or was not.
        uncounted = [] if self._body.cause else uncaused(terms.cause_outcomes, outcome, None)
        raised = unconsidered(self._unconsidered) if terms.messages_considered else []
        return {
            "gate.empty": unsaid,
            "gate.too-short": too_short(self.content, terms.least_characters, rule_of(outcome)),
            "gate.points": unanswered,
            "gate.unconsidered": raised,
            "gate.cause": uncounted,
            "gate.language": self._language(),
        }

    def hold(self) -> None:
        """Refuse it while anything is missing, and name all of it."""
        missing = self.missing()
        code = next((code for code, some in missing.items() if some), "")
        hold([one for some in missing.values() for one in some], code)

    def _language(self) -> list[Missing]:
        """Words in another language than the user's, as far as the guess at intake can tell (M3.8)."""
        wanted, written = self._case.language, language_of(_all_words(self.content))
        if self._body.despite_language or wanted not in NAMES or written in {None, wanted}:
            return []
        return [
            Missing(
                "despite_language",
                f"the user writes {NAMES[wanted]}, the answer seems to be in another language: mend it, or say why",
                "M3.8",
            )
        ]


def _all_words(content: Mapping[str, Any]) -> str:
    """What we wrote; the words of the points may be the user's own."""
    points = [text for one in content["points"] for name, text in one.items() if name not in {"id", "point"}]
    return "\n".join([*points, *content["actions"], content.get("reasons", ""), content.get("where_else", "")])
