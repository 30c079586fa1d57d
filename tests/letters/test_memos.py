"""The templates of the mails to colleagues: all there, all that they must say in them, and nothing of a user."""

import shutil
from pathlib import Path

import pytest

from activities.letters.memo_words import OWED, PROPOSED
from activities.letters.memos import FIELDS, LANGUAGES, Memos
from models.errors import PolicyError
from models.inquiry import Language
from models.obligations import ObligationKind
from tests.cases import ROXOM

VALUES = {
    "reference": "RX-7KQ4-M2PD",
    "what": "final response",
    "due": "Monday",
    "link": "https://x.example/RX",
    "missed": "",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(ROXOM / "staff", tmp_path / "staff")
    return tmp_path


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(set(FIELDS) - {"digest"}))
def test_each_prints_all_its_fields_and_no_other(kind: str, language: Language) -> None:
    written = Memos.load(ROXOM).render(kind, language, VALUES, reference="RX-7KQ4-M2PD")
    for value in ("RX-7KQ4-M2PD", "final response", "Monday", "https://x.example/RX"):
        assert value in written.text
        assert value in written.html
    assert written.subject.startswith("[RX-7KQ4-M2PD] ")
    assert written.template == f"{kind}.{language}"


def test_what_is_put_in_makes_no_structure() -> None:
    written = Memos.load(ROXOM).render("urgent", Language.EN, {**VALUES, "what": "<b>\n# x"})
    assert "<b>" not in written.html
    assert "<h1" not in written.html.partition("&lt;b&gt;")[2]


def test_a_missed_term_is_told_as_one() -> None:
    memos = Memos.load(ROXOM)
    assert "has passed" in memos.render("reminder", Language.EN, {**VALUES, "missed": "yes"}).text
    assert "ya venció" in memos.render("reminder", Language.BOTH, {**VALUES, "missed": "yes"}).text


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("{{ due }}", "", "due: must be in this memo; add it"),
        ("{{ due }}", "{{ due }} {{ words }}", "words: unknown field"),
        ("{{ due }}", "{{ due }} {{ due.words }}", "words: unknown part"),
        ("{{ due }}", "{{ due", "cannot be read"),
        ("{{ due }}", "{{ due | upper }}", "cannot be read"),
        ("version: 1.0", "version: one", "expected a version"),
    ],
)
def test_a_mistake_is_named_with_its_file(folder: Path, old: str, new: str, problem: str) -> None:
    file = folder / "staff" / "reminder.en.letter"
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(PolicyError, match=r"reminder\.en\.letter") as caught:
        Memos.load(folder)
    assert problem in str(caught.value)


def test_a_template_too_few_or_too_many_is_a_mistake(folder: Path) -> None:
    (folder / "staff" / "digest.es.letter").unlink()
    with pytest.raises(PolicyError, match="is missing"):
        Memos.load(folder)
    (folder / "staff" / "acknowledgement.es.letter").write_text("x", encoding="utf-8")
    with pytest.raises(PolicyError, match="is no letter of any kind"):
        Memos.load(folder)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_promise_and_every_proposal_has_its_words(language: Language) -> None:
    assert set(OWED[language]) == set(ObligationKind)
    assert set(PROPOSED[Language.ES]) == set(PROPOSED[language])
