"""No template is used in production before compliance approved it; the approved text stays in use meanwhile."""

import hashlib
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from activities.letters.approvals import Approvals, Standing
from activities.letters.approving import approve
from activities.letters.memos import Memos
from activities.letters.rendering import Letters
from activities.letters.survey import sentence, survey, waiting
from models.errors import PolicyError, Refused
from models.inquiry import Language
from models.letters import LetterKind
from tests.cases import ROXOM
from tests.letters.examples import context

AT = datetime(2026, 4, 7, 15, 0, tzinfo=UTC)
REPLY, FOOT = "letters/reply.es.letter", "letters/_foot.es.letter"
Letter = Callable[[], str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The operator's policy, in a place where it may be changed."""
    return Path(shutil.copytree(ROXOM, tmp_path / "policy"))


def rewrite(folder: Path, file: str, *changes: tuple[str, str]) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def reply(folder: Path, *, approved: bool = True) -> str:
    return Letters.load(folder, approved=approved).render(context(LetterKind.REPLY)).text


def agree(folder: Path, *templates: str) -> list[str]:
    lines = [line for line in survey(folder) if line.source.template in templates]
    return [one.template for one in approve(folder, lines, by="compliance-officer", at=AT, remark="Read “aloud”.")]


def test_every_approved_text_is_there() -> None:
    for name in ("letters", "staff"):
        approvals = Approvals.read(ROXOM / name)
        kept = {approvals.source(one).sha256 for one in approvals.entries}
        assert kept == {one.sha256 for one in approvals.entries}
        assert {path.name for path in (ROXOM / name / "approved").iterdir()} == {
            one.copy_name for one in approvals.entries
        }


def test_a_changed_letter_waits_while_the_approved_text_stays_in_use(folder: Path) -> None:
    before = reply(folder)
    rewrite(folder, REPLY, ("version: 1.0", "version: 1.1"), ("---", "---\nNuevas palabras.\n"))
    assert reply(folder) == before
    assert "Nuevas palabras." in reply(folder, approved=False)
    (line,) = waiting(folder)
    assert (line.source.template, line.standing) == ("reply.es", Standing.CHANGED)
    assert "reply.es.letter: changed since" in sentence(line)
    assert agree(folder, "reply.es") == ["reply.es"]
    assert "Nuevas palabras." in reply(folder)
    assert not waiting(folder)
    last = Approvals.read(folder / "letters").last("reply.es")
    assert last
    assert (last.version, last.by, last.at, last.remark) == ("1.1", "compliance-officer", AT, "Read “aloud”.")
    assert last.sha256 == hashlib.sha256((folder / REPLY).read_bytes()).hexdigest()
    assert agree(folder, "reply.es") == []


def test_a_changed_memo_waits_too(folder: Path) -> None:
    rewrite(folder, "staff/urgent.en.letter", ("version: 1.0", "version: 1.1"), ("subject: ", "subject: Now: "))
    values = dict.fromkeys(("reference", "what", "due", "link"), "x")
    subjects = [
        Memos.load(folder, approved=approved).render("urgent", Language.EN, values).subject
        for approved in (True, False)
    ]
    assert [subject.startswith("Now: ") for subject in subjects] == [False, True]
    assert agree(folder, "urgent.en") == ["urgent.en"]
    assert Memos.load(folder, approved=True).render("urgent", Language.EN, values).subject == subjects[1]


def test_what_was_never_approved_stops_production_and_says_how_to_go_on(folder: Path) -> None:
    path = folder / "letters" / "approved.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r'\[\[approved\]\]\ntemplate = "reply.es".*?(?=\n\n)', "", text, flags=re.DOTALL), "utf-8")
    with pytest.raises(PolicyError, match=r"reply\.es\.letter: is not approved by compliance") as caught:
        Letters.load(folder, approved=True)
    assert "`plazo letters approve reply --language es --by ID`" in str(caught.value)
    (line,) = waiting(folder)
    assert line.standing is Standing.NEW
    assert "new; production writes nothing with it" in sentence(line)
    Letters.load(folder)
    agree(folder, "reply.es")
    Letters.load(folder, approved=True)


def test_without_a_list_nothing_is_approved(folder: Path) -> None:
    (folder / "staff" / "approved.toml").unlink()
    with pytest.raises(PolicyError, match="is not approved by compliance"):
        Memos.load(folder, approved=True)
    names = [line.source.template for line in waiting(folder)]
    assert "digest.es" in names
    assert agree(folder, *names) == names
    Memos.load(folder, approved=True)


@pytest.mark.parametrize(
    "change", [lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes() + b" ")]
)
def test_an_approved_text_that_is_gone_or_was_changed_is_not_used(folder: Path, change: Callable[[Path], None]) -> None:
    last = Approvals.read(folder / "letters").last("reply.es")
    assert last
    path = folder / "letters" / "approved" / last.copy_name
    change(path)
    with pytest.raises(PolicyError, match=re.escape(last.copy_name)) as caught:
        Letters.load(folder, approved=True)
    assert "cannot be read" in caught.value.problem or "approved" in caught.value.problem


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("at = 2026", "at = 20x6", "is not TOML"),
        ("+00:00", "", "timezone"),
        ('version = "1.0"', "", "is missing"),
        ('template = "reply.es"', 'template = "../reply.es"', "string should match"),
        ("remark", "remarks", "unknown key"),
    ],
)
def test_a_mistake_in_the_list_is_named(folder: Path, old: str, new: str, problem: str) -> None:
    rewrite(folder, "letters/approved.toml", (old, new))
    with pytest.raises(PolicyError, match=r"approved\.toml:\d+: ") as caught:
        waiting(folder)
    assert problem in str(caught.value)


def test_new_words_want_a_new_version(folder: Path) -> None:
    rewrite(folder, REPLY, ("---", "---\nNuevas palabras.\n"))
    with pytest.raises(Refused, match="raise `version`") as caught:
        agree(folder, "reply.es")
    assert (caught.value.code, caught.value.field) == ("letters.version", "version")


def test_a_letter_is_approved_with_the_fragments_that_were_read_with_it(folder: Path) -> None:
    rewrite(folder, REPLY, ("version: 1.0", "version: 1.1"))
    rewrite(folder, FOOT, ("Atentamente", "Cordialmente"))
    with pytest.raises(PolicyError, match=r"includes _foot, which waits for approval itself"):
        agree(folder, "reply.es")
    assert agree(folder, "reply.es", "_foot.es") == ["_foot.es", "reply.es"]
    assert "Cordialmente" in reply(folder)


def test_what_belongs_together_is_not_approved_apart(folder: Path) -> None:
    """A field moves from the fragment into the letters: with the fragment alone they would lack it."""
    rewrite(folder, FOOT, ("{{ warning }}", ""))
    list_before = (folder / "letters" / "approved.toml").read_bytes()
    with pytest.raises(PolicyError, match="warning: must be in this letter"):
        agree(folder, "_foot.es")
    assert (folder / "letters" / "approved.toml").read_bytes() == list_before
    assert reply(folder)


def test_a_fragment_that_is_no_more_stays_in_use_with_the_letters_that_were_approved_with_it(folder: Path) -> None:
    before = reply(folder)
    for path in sorted((folder / "letters").glob("*.es.letter")):
        body = path.read_text(encoding="utf-8")
        foot = (folder / FOOT).read_text(encoding="utf-8")
        path.write_text(body.replace('{% include "_foot" %}', foot), encoding="utf-8")
    (folder / FOOT).unlink()
    assert reply(folder) == before


def test_where_nothing_can_be_written_nothing_is_approved(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rewrite(folder, REPLY, ("version: 1.0", "version: 1.1"))

    def full(*_: object) -> int:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(PolicyError, match="Read-only file system"):
        agree(folder, "reply.es")
    assert [line.source.template for line in waiting(folder)] == ["reply.es"]


def test_a_letter_says_which_approved_texts_it_was_written_from() -> None:
    letter = Letters.load(ROXOM, approved=True).render(context(LetterKind.REPLY))
    approvals = Approvals.read(ROXOM / "letters")
    assert set(letter.wording) >= {"reply.es", "_head.es", "_foot.es"}
    for template, sha256 in letter.wording.items():
        last = approvals.last(template)
        assert last
        assert last.sha256 == sha256
