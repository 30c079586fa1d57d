"""A mistake in a template is found when the letters are loaded, and named with file, key and line."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from activities.letters.complete import complete
from activities.letters.fields import REQUIRED
from activities.letters.files import read_folder, wanted
from activities.letters.rendering import Letters
from activities.letters.templates import Templates
from activities.letters.trial import stand
from models.errors import OperatorError, PolicyError
from models.inquiry import Language
from models.letters import LetterKind
from tests.cases import ROXOM
from tests.letters.examples import LINK, all_letters, context

Change = Callable[[str], str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(ROXOM / "letters", tmp_path / "letters")
    return tmp_path


def check(folder: Path, name: str) -> None:
    """What loading does, for one letter and the fragments of its language."""
    letter, language = name.removesuffix(".letter").split(".")
    sources = read_folder(folder / "letters", wanted())[Language(language)]
    few = {key: source for key, source in sources.items() if source.is_fragment or key == letter}
    templates = Templates(few)
    if letter in REQUIRED:
        stand(templates, letter)


def refused(folder: Path, name: str, change: Change, letter: str = "") -> PolicyError:
    """Change one file and check it, or the letter that includes it."""
    path = folder / "letters" / name
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(PolicyError) as error:
        check(folder, letter or name)
    assert error.value.line
    assert str(error.value).startswith(f"{error.value.file}:{error.value.line}: ")
    assert error.value.file == str(folder / "letters" / (letter or name))
    return error.value


def without(part: str) -> Change:
    def change(text: str) -> str:
        assert part in text
        return text.replace(part, "")

    return change


def after(mark: str, more: str) -> Change:
    def change(text: str) -> str:
        assert mark in text
        return text.replace(mark, f"{mark}\n{more}", 1)

    return change


@pytest.mark.rule("M2.1")
@pytest.mark.parametrize("field", ["reference", "received", "words_hash", "status_link", "signer_area"])
def test_an_invitation_that_says_more_than_everybody_may_read_does_not_load(folder: Path, field: str) -> None:
    mistake = refused(folder, "invitation.es.letter", after("---", f"{{{{ {field} }}}}"))
    assert mistake.key == field
    assert "everybody can read" in mistake.problem


def line_of(folder: Path, name: str, part: str) -> int:
    lines = (folder / "letters" / name).read_text(encoding="utf-8").split("\n")
    return next(number for number, line in enumerate(lines, 1) if part in line)


REMOVED = [
    ("extension.es.letter", "{{ reasons }}", "reasons"),
    ("external.en.letter", "{{ estimate }}", "estimate"),
    ("external.es.letter", "{{ asked_on }}", "asked_on"),
    ("referral.es.letter", "{{ area }}", "area"),
    ("channel_change.en.letter", "{{ new_channel }}", "new_channel"),
    ("withdrawn.es.letter", "{{ withdrawn_on }}", "withdrawn_on"),
    ("missed.en.letter", "{{ estimate }}", "estimate"),
    ("acknowledgement.es.letter", '{% include "_review" %}', "authority_name"),
]


@pytest.mark.rule("M3.3")
@pytest.mark.rule("M3.5")
@pytest.mark.rule("M3.6")
@pytest.mark.rule("M4.2")
@pytest.mark.parametrize(("name", "part", "key"), REMOVED)
def test_a_letter_without_a_required_field_does_not_load(folder: Path, name: str, part: str, key: str) -> None:
    mistake = refused(folder, name, without(part))
    assert (mistake.key, mistake.line) == (key, 5)
    assert "must be in this letter" in mistake.problem


@pytest.mark.rule("M3.2")
@pytest.mark.rule("M3.9")
@pytest.mark.parametrize(
    ("fragment", "part", "letter", "key"),
    [
        ("_foot.es.letter", "{{ chain_head }}", "acknowledgement", "chain_head"),
        ("_foot.es.letter", "{{ warning }}", "acknowledgement", "warning"),
        ("_receipt.es.letter", "{{ answer_by }}", "acknowledgement", "answer_by"),
        ("_receipt.es.letter", "«{{ words }}»", "acknowledgement", "words"),
        ("_answer.es.letter", "{{ one.why }}", "final_partial", "points.why"),
        ("_answer.es.letter", "{{ one.answer }}", "final_upheld", "points.answer"),
    ],
)
def test_a_fragment_without_a_required_field_names_the_letter(
    folder: Path, fragment: str, part: str, letter: str, key: str
) -> None:
    assert refused(folder, fragment, without(part), f"{letter}.es.letter").key == key


def test_a_field_that_only_some_renderings_print_does_not_pass(folder: Path) -> None:
    change = without("Fecha del retiro :: {{ withdrawn_on }}")
    only_sometimes = after("{% if words %}", "{{ withdrawn_on }}")
    mistake = refused(folder, "withdrawn.es.letter", lambda text: only_sometimes(change(text)))
    assert mistake.key == "withdrawn_on"
    assert "condition" in mistake.problem


UNCLOSED = {"{{ reference", "{% if reference %}"}
"""Jinja notices these only further down."""


@pytest.mark.parametrize(
    ("broken", "wrong", "key"),
    [
        ("{{ referenze }}", "unknown field", "referenze"),
        ("{% for one in points %}{{ one.anser }}{% endfor %}", "unknown part", "anser"),
        ("{% for one in points %}{{ loop.depth }}{% endfor %}", "unknown part", "depth"),
        ('{{ points["x"] }}', "with a dot", ""),
        ("{{ reference", "cannot be read", ""),
        ("{% if reference %}", "cannot be read", ""),
        ("{{ reference | upper }}", "cannot be read", ""),
        ("{{ range(3) }}", "unknown field", "range"),
        ("{{ reference.__class__ }}", "unknown part", "__class__"),
        ('{% include "_nowhere" %}', "fragments of its language", "_nowhere"),
        ('{% include "acknowledgement" %}', "fragments of its language", "acknowledgement"),
        ("{% include reference %}", "fragments of its language", ""),
        ("{% macro x() %}{% endmacro %}", "only {% include", ""),
        ("{{ 1 / (reference != reference) }}", "cannot be rendered", ""),
        ("{{ reference + 1 }}", "cannot be rendered", ""),
        ("\ue000", "private use", ""),
    ],
)
def test_a_broken_body_names_the_line(folder: Path, broken: str, wrong: str, key: str) -> None:
    name = "extension.es.letter"
    here = line_of(folder, name, "## Motivos") + 1
    mistake = refused(folder, name, after("## Motivos", broken))
    assert wrong in mistake.problem
    assert mistake.key == key
    assert mistake.line == here or (mistake.line > here and broken in UNCLOSED)


def test_a_mistake_in_a_fragment_names_the_fragment(folder: Path) -> None:
    assert refused(folder, "_foot.en.letter", after("## Record", "{{ nobody }}")).key == "nobody"
    assert refused(folder, "_foot.en.letter", lambda _: '{% include "_head" %}').key == "_head"


def test_loading_all_letters_finds_the_same_mistake(folder: Path) -> None:
    one = refused(folder, "extension.es.letter", without("{{ reasons }}"))
    with pytest.raises(PolicyError) as error:
        Letters.load(folder)
    assert str(error.value) == str(one)


@pytest.mark.parametrize(
    ("change", "key", "line"),
    [
        (without("version: 1.0\n"), "version", 1),
        (without("subject: Respuesta sobre su {{ inquiry }}\n"), "subject", 1),
        (lambda text: text.replace("version: 1.0", "version: new"), "version", 1),
        (lambda text: text.replace("name: ", "title: "), "title", 2),
        (lambda text: text.replace("name: Respuesta a su mensaje", "name:"), "name", 2),
        (lambda text: "version: 1.0\n" + text, "version", 2),
        (lambda text: text.replace("su {{ inquiry }}", "{{ words }}"), "words", 3),
        (lambda text: text.replace("su {{ inquiry }}", "su {{ inquiry"), "", 3),
    ],
)
def test_a_header_without_version_name_or_fit_subject_does_not_load(
    folder: Path, change: Change, key: str, line: int
) -> None:
    mistake = refused(folder, "reply.es.letter", change)
    assert (mistake.key, mistake.line) == (key, line)


def test_a_file_without_an_end_of_its_header_does_not_load(folder: Path) -> None:
    mistake = refused(folder, "reply.es.letter", lambda _: "version: 1.0\nname: x\nsubject: y")
    assert mistake.line == 3


@pytest.mark.parametrize("name", ["reply.fr.letter", "repli.es.letter", "reply.es.txt", "notes.md"])
def test_a_stray_file_is_named(folder: Path, name: str) -> None:
    (folder / "letters" / name).write_text("x", encoding="utf-8")
    with pytest.raises(PolicyError, match=f"{name}: is no letter"):
        Letters.load(folder)


def test_a_missing_letter_unreadable_file_or_folder_is_named(folder: Path) -> None:
    (folder / "letters" / "split.en.letter").unlink()
    with pytest.raises(PolicyError, match=r"split\.en\.letter: is missing"):
        Letters.load(folder)
    (folder / "letters" / "split.en.letter").write_bytes(b"\xff\xfe")
    with pytest.raises(PolicyError, match="is not UTF-8 text"):
        Letters.load(folder)
    (folder / "letters" / "split.en.letter").unlink()
    (folder / "letters" / "split.en.letter").mkdir()
    with pytest.raises(PolicyError, match="cannot be read"):
        Letters.load(folder)
    with pytest.raises(PolicyError, match="is no folder"):
        Letters.load(folder / "letters")


def test_every_kind_is_wanted_in_both_languages_but_the_authoritys() -> None:
    names = [f"{name}.{language.value}" for name, language in wanted()]
    assert len(names) == 2 * len(LetterKind) + 1
    assert "authority_reply.en" not in names


def test_any_change_of_words_changes_the_version_printed(folder: Path) -> None:
    before = all_letters().render(context(LetterKind.REPLY))
    foot = folder / "letters" / "_foot.es.letter"
    foot.write_text(foot.read_text(encoding="utf-8").replace("Atentamente", "Cordialmente"), encoding="utf-8")
    after_it = Letters.load(folder).render(context(LetterKind.REPLY))
    assert before.version != after_it.version
    assert before.version.split("+")[0] == after_it.version.split("+")[0] == "1.0"
    assert f"reply.es, versión {after_it.version}" in after_it.text
    assert LINK in after_it.html


@pytest.mark.rule("M3.10")
@pytest.mark.rule("M5.7")
@pytest.mark.parametrize(
    ("file", "take_out", "lacking"),
    [
        ("_review.es.letter", "{{ authority_phone }}", "authority_phone"),
        ("_head.es.letter", "{{ reference }}", "reference"),
    ],
)
def test_a_final_answer_never_leaves_without_reference_and_review(
    folder: Path, monkeypatch: pytest.MonkeyPatch, file: str, take_out: str, lacking: str
) -> None:
    for name in (file, "_foot.es.letter"):
        path = folder / "letters" / name
        path.write_text(path.read_text(encoding="utf-8").replace(take_out, ""), encoding="utf-8")
    monkeypatch.setattr("activities.letters.rendering.stand", lambda *_: None)
    said = context(LetterKind.FINAL_UPHELD)
    complete(all_letters().render(said), said)
    with pytest.raises(OperatorError, match=lacking):
        complete(Letters.load(folder).render(said), said)
    reply = context(LetterKind.REPLY)
    complete(Letters.load(folder).render(reply), reply)
