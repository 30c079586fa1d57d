"""Memos: the mails that go to colleagues, from templates of the policy's folder `staff/`; nothing of a user is in them.

A memo knows its own few fields and no others; every field must stand in it. The markup is that of the letters.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import SandboxedEnvironment

from activities.letters.approvals import read_approved
from activities.letters.files import Source, read_folder
from activities.letters.markup import Slots, as_html, as_text, page
from activities.letters.rendering import Rendered
from models.alerts import AlertKind
from models.inquiry import Language

FOLDER = "staff"
DIGEST = "digest"
LANGUAGES = (Language.ES, Language.EN)
ALERT = frozenset({"reference", "what", "due", "link"})
FIELDS: dict[str, frozenset[str]] = {
    **dict.fromkeys((kind.value for kind in AlertKind), ALERT),
    AlertKind.REMINDER: ALERT | {"missed"},
    DIGEST: frozenset({"day", "total", "owned", "approvals", "referrals", "follow_ups", "link"}),
}
"""What each kind of memo must print, and may."""

PARTS = frozenset({"reference", "what", "due"})
"""What a row of a digest has."""

Row = Mapping[str, str]
Values = Mapping[str, str | Sequence[Row]]


def wanted() -> Iterator[tuple[str, Language]]:
    """The templates there must be."""
    return ((kind, language) for kind in FIELDS for language in LANGUAGES)


class Memos:
    """All memos of one operator. Thread-safe: nothing changes after loading."""

    def __init__(self, sources: Mapping[Language, Mapping[str, Source]]) -> None:
        """Check every file. Raises PolicyError with file, key and line."""
        self._sources = sources
        self._environment = SandboxedEnvironment(
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            # Values are slots; activities.letters.markup escapes every one of them.
            autoescape=False,
        )
        self._environment.filters.clear()
        self._environment.globals.clear()
        for of_language in sources.values():
            for source in of_language.values():
                self._check(source)

    @classmethod
    def load(cls, folder: Path, *, approved: bool = False) -> "Memos":
        """Read and check `staff/` of a policy's folder; with `approved` the texts that compliance has approved."""
        return cls((read_approved if approved else read_folder)(folder / FOLDER, wanted()))

    def render(self, kind: str, language: Language, values: Values, *, reference: str = "") -> Rendered:
        """Write a memo; in Spanish where the language is uncertain. `reference` is put before the subject."""
        language = Language.EN if language is Language.EN else Language.ES
        source, slots = self._sources[language][kind], Slots()
        slotted = {name: _slotted(value, slots) for name, value in values.items()}
        body = self._environment.from_string(source.body).render(slotted)
        subject = source.header["subject"][1]
        subject = f"[{reference}] {subject}" if reference else subject
        return Rendered(
            subject=subject,
            text=as_text(body, slots),
            html=page(subject, [as_html(body, slots, language.value)], language.value),
            template=f"{kind}.{language.value}",
            version=source.version,
            language=language,
        )

    def _check(self, source: Source) -> None:
        wanted = FIELDS.get(source.name, frozenset())
        try:
            tree = self._environment.parse(source.body)
            used = meta.find_undeclared_variables(tree)
        except (TemplateError, TemplateSyntaxError) as error:
            raise source.mistake(f"cannot be read: {error}", line=getattr(error, "lineno", 0) or 1) from error
        for name in sorted(used - wanted):
            raise source.mistake(f"unknown field; one of {', '.join(sorted(wanted))}", key=name)
        for name in sorted(wanted - used):
            raise source.mistake("must be in this memo; add it", key=name)
        for part in tree.find_all(nodes.Getattr):
            if part.attr not in PARTS:
                raise source.mistake(
                    f"unknown part; one of {', '.join(sorted(PARTS))}", key=part.attr, line=part.lineno
                )


def _slotted(value: str | Sequence[Row], slots: Slots) -> str | list[dict[str, str]]:
    if isinstance(value, str):
        return slots.put(value)
    return [{part: slots.put(text) for part, text in row.items()} for row in value]
