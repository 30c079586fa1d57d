"""The life of an extension once it is announced: it takes effect, falls away, or comes back (M3.5, reading 5)."""

from datetime import datetime

from models.case import Case
from models.episodes import Extension
from models.letters import Letter, LetterKind
from models.promises import replace_final

SAID = frozenset({"old", "new", "number"})
"""What a letter says about an extension, beside what else it may tell."""

ABOUT_DATES = frozenset({LetterKind.EXTENSION, LetterKind.EXTERNAL, LetterKind.RE_ESTIMATE})
"""Letters that only make sense while an answer is owed."""


def _change(case: Case, extension: Extension, **changes: object) -> Extension:
    changed = extension.model_copy(update=changes)
    case.extensions[case.extensions.index(extension)] = changed
    return changed


def take_effect(case: Case, letter: Letter, at: datetime) -> None:
    """An extension is real once its letter is accepted before the end of the term that it was announced for.

    The acceptance may become known after that date; what counts is when it happened, so a void extension may revive.
    """
    extension = next((e for e in case.extensions if e.letter == letter.key and e.effective_at is None), None)
    if extension is None:
        return
    running = case.final_term
    if running is None or at >= running.ends or running.due != extension.replaces:
        _void(case, extension, at, why="its letter was accepted too late")
        return
    _change(case, extension, effective_at=at, void_at=None)
    replace_final(case, extension.until, at, why="extended", subject=letter.key)
    case.tell(letter, extension.until, at)


def _void(case: Case, extension: Extension, at: datetime, *, why: str) -> None:
    if extension.void_at is None:
        _change(case, extension, void_at=at)
        case.record(at, "extension.void", rule="M3.5", until=extension.until, why=why)


def drop_extension(case: Case, at: datetime, *, why: str) -> None:
    """An extension not yet accepted falls away, and no letter announces it any more; what else one tells is owed."""
    pending = case.extension_pending
    if pending is None:
        return
    _void(case, pending, at, why=why)
    for letter in case.waiting():
        if letter.key != pending.letter:
            continue
        case.void(letter, at, why="the extension it announces is void")
        if letter.kind is not LetterKind.EXTENSION:
            facts = {name: fact for name, fact in letter.facts.items() if name not in SAID}
            case.write(letter.kind, at, meets=letter.meets, facts=facts, texts=letter.texts)


def came_back(case: Case, letter: Letter, at: datetime) -> bool:
    """A letter about dates bounced; True when it need not be sent again.

    Bounced before the old date, that date is back; after it the new date stands and was told late. A letter that told
    an institution's estimate too is owed again and announces the extension anew.
    """
    if letter.kind not in ABOUT_DATES:
        return False
    extension = next((e for e in case.extensions if e.letter == letter.key and e.effective_at and not e.void_at), None)
    running = case.final_term
    alone = letter.kind is LetterKind.EXTENSION
    if extension is None:
        return running is None or alone
    stands = running is not None and running.due == extension.until
    if at > extension.replaces or _went_on(case, extension):
        _change(case, extension, told_late=True)
        case.record(at, "extension.told-late", rule="M3.5", until=extension.until)
        return running is None or (alone and not stands)
    _void(case, extension, at, why="its letter bounced before the old date")
    case.tell(letter, extension.replaces, at)
    if stands:
        replace_final(case, extension.replaces, at, why="the extension's letter bounced", subject=letter.key)
        if not alone:
            anew = {"effective_at": None, "void_at": None, "letter": letter.key}
            case.extensions.append(extension.model_copy(update=anew))
    return running is None or alone


def _went_on(case: Case, extension: Extension) -> bool:
    """Whether a further extension took effect on top of this one: the user knows that date."""
    return any(e.effective_at and not e.void_at and e.replaces == extension.until for e in case.extensions)


def follow(case: Case, letter: Letter, again: str) -> None:
    """The letter that announces an extension leaves under another key."""
    for extension in [e for e in case.extensions if e.letter == letter.key and not e.void_at]:
        _change(case, extension, letter=again)


def still_true(case: Case, letter: Letter) -> dict[str, str]:
    """The facts of a letter that leaves again: an extension that does not hold is left out, an estimate is today's."""
    if letter.kind not in ABOUT_DATES:
        return letter.facts
    running = case.final_term
    holds = any(
        e.letter == letter.key and not e.void_at and (not e.effective_at or (running and running.due == e.until))
        for e in case.extensions
    )
    facts = {name: fact for name, fact in letter.facts.items() if holds or name not in SAID}
    if case.escalated and "estimate" in facts:
        facts["estimate"] = case.escalated.estimate.isoformat()
    return facts
