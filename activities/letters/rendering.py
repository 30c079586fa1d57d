"""Letters: the policy's templates, checked, and the one way from a letter's context to its subject, text and HTML."""

from dataclasses import dataclass, field
from pathlib import Path

from activities.letters import words
from activities.letters.approvals import read_approved
from activities.letters.context import LetterContext
from activities.letters.fields import FIELDS, POINTER
from activities.letters.files import Sources, read_folder, wanted
from activities.letters.markup import Slots, as_html, as_text, page
from activities.letters.templates import Templates
from activities.letters.trial import stand
from models.inquiry import Language
from models.letters import LetterKind

FOLDER = "letters"


@dataclass(frozen=True)
class Rendered:
    """A letter in words. `template` names what was rendered, such as `acknowledgement.es`, `version` its version.

    `wording` names the files it was written from, each with the SHA-256 that its approval bears.
    """

    subject: str
    text: str
    html: str
    template: str
    version: str
    language: Language
    wording: dict[str, str] = field(default_factory=dict)


class Letters:
    """All letters of one operator. Thread-safe: nothing changes after loading."""

    def __init__(self, templates: dict[Language, Templates]) -> None:
        """Take what `load` has checked."""
        self._templates = templates
        spanish = {kind: templates[Language.ES].title(kind) for kind in LetterKind}
        english = {name: templates[language].title(name) for name, language in wanted() if language is Language.EN}
        self._names = {
            Language.ES: spanish,
            Language.EN: {kind: english.get(kind, spanish[kind]) for kind in LetterKind},
        }

    @classmethod
    def load(cls, folder: Path, *, approved: bool = False) -> "Letters":
        """Read and check `letters/` of a policy's folder, the one given to `load_policy`.

        With `approved` the texts that compliance has approved are read instead of what stands there. Raises PolicyError
        with file, key and line: a file is missing, stray or malformed, names an unknown field, has no version, leaves
        out what letters of its kind must say, or was never approved.
        """
        return cls(checked((read_approved if approved else read_folder)(folder / FOLDER, wanted())))

    def name(self, kind: LetterKind, language: Language) -> str:
        """What a kind of letter is called; Spanish first where the language is uncertain."""
        return self._names[Language.EN if language is Language.EN else Language.ES][kind]

    def version(self, name: str, language: Language) -> str:
        """The version of a letter, as it is printed."""
        return self._templates[language].version(name)

    def first_with(self, fragment: str, language: Language) -> str:
        """The first letter that includes a fragment, by its name. Raises PolicyError where none does."""
        templates = self._templates[language]
        for name, of_language in sorted(wanted()):
            if of_language is language and fragment in templates.includes(name):
                return name
        raise templates.source(fragment).mistake("stands in no letter; take it away")

    def render(self, context: LetterContext, *, full: bool = False) -> Rendered:
        """Write a letter as it leaves; with `full` the complete one, also where only a pointer to it leaves ([C]).

        To a person whose identity is not bound the letters of `HELD_BACK` leave as the template `pointer`, the others
        show the hash of the user's words. The complete letter is for the status page behind the link.
        """
        if full:
            context = context.model_copy(update={"bound": True})
        name = POINTER if context.pointer_only else context.kind.value
        languages, slots = context.languages, Slots()
        bodies = [self._body(context, name, language, slots) for language in languages]
        subjects = [self._templates[one].subject(name, words.INQUIRY[context.inquiry, one]) for one in languages]
        subject = " / ".join(subjects) if context.in_public else f"[{context.reference}] {' / '.join(subjects)}"
        pieces = [as_html(body, slots, one.value) for body, one in zip(bodies, languages, strict=True)]
        return Rendered(
            subject=subject,
            text=("\n" if context.in_public else "\n---\n\n").join(as_text(body, slots) for body in bodies),
            html=page(subject, pieces, languages[0].value),
            template=f"{name}.{'+'.join(languages)}",
            version="/".join(self._templates[language].version(name) for language in languages),
            language=context.language if len(languages) > 1 else languages[0],
            wording={file: sha for one in languages for file, sha in self._templates[one].files(name).items()},
        )

    def _body(self, context: LetterContext, name: str, language: Language, slots: Slots) -> str:
        templates = self._templates[language]
        values = words.fields(
            context,
            language,
            self._names[language],
            title=templates.title(name),
            template=f"{name}.{language.value}",
            version=templates.version(name),
        )
        return templates.body(name, _slotted(values, slots))


def checked(sources: Sources) -> dict[Language, Templates]:
    """Check all letters that were read, whichever they are. Raises PolicyError."""
    templates = {language: Templates(of_language) for language, of_language in sources.items()}
    for language, of_language in sources.items():
        for name, source in of_language.items():
            if not source.is_fragment:
                stand(templates[language], name)
    return templates


def _slotted(values: words.Fields, slots: Slots) -> words.Fields:
    """Put a slot in place of every value but the codes, which only decide."""
    slotted: words.Fields = {}
    for name, value in values.items():
        if isinstance(value, list):
            rows = [{part: one if part == "code" else slots.put(one) for part, one in row.items()} for row in value]
            slotted[name] = rows
        else:
            slotted[name] = value if FIELDS[name].codes else slots.put(value)
    return slotted
