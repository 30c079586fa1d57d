"""The causes of an inquiry (M3.11): all that the policy names, and those that what the user wrote speaks for."""

from sqlmodel import Session

from models.case import Case
from models.policy_file import Bilingual
from models.taxonomy import Taxonomy
from records.erasing import is_erased
from starter.admin.gathering import messages_of
from starter.admin.points import words_of
from starter.admin.views import View


class Labelled(View):
    """A code in both languages."""

    code: str
    es: str
    en: str

    @classmethod
    def of(cls, code: str, label: Bilingual) -> "Labelled":
        """Show a code of the policy."""
        return cls(code=code, es=label.es, en=label.en)


class ThemeView(Labelled):
    """A theme with its causes; a cause's code begins with its theme's."""

    causes: tuple[Labelled, ...]


class ProposedCauseView(View):
    """A cause that the user's words speak for; `because` are the policy's lines that stand in them."""

    code: str
    because: tuple[str, ...]


class CausesView(View):
    """The taxonomy, whether a final answer must name a cause and which: `required` are the outcomes that want one."""

    version: str
    required: tuple[str, ...]
    proposed: tuple[ProposedCauseView, ...]
    themes: tuple[ThemeView, ...]


def causes_of(session: Session, case: Case, taxonomy: Taxonomy) -> CausesView:
    """Show them; proposed from the points that are kept, else from the user's own messages."""
    said = list(words_of(session, case).values()) or [
        row.text for row in messages_of(session, case) if not row.third_party and not is_erased(row)
    ]
    return CausesView(
        version=taxonomy.version,
        required=tuple(one.value for one in case.terms.cause_outcomes),
        proposed=tuple(ProposedCauseView.model_validate(one) for one in taxonomy.propose(said)),
        themes=tuple(
            ThemeView(
                code=name,
                es=theme.label.es,
                en=theme.label.en,
                causes=tuple(Labelled.of(f"{name}.{code}", cause) for code, cause in theme.causes.items()),
            )
            for name, theme in taxonomy.themes.items()
        ),
    )
