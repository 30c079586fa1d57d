"""Who approves a template reads all that it can say: the sample fills every field that the letter must print."""

import pytest

from activities.letters import words
from activities.letters.fields import FIELDS, REQUIRED
from activities.letters.files import wanted
from activities.letters.memos import Memos
from activities.letters.memos import wanted as wanted_memos
from activities.letters.sample import sample_letter, sample_memo
from models.inquiry import Language
from models.letters import LetterKind
from tests.cases import ROXOM, policy
from tests.letters.examples import all_letters

HIDDEN = {"words_hash"}
"""What stands in the place of something else, and is absent with it there."""


@pytest.mark.parametrize(("name", "language"), list(wanted()))
def test_a_sample_says_all_that_its_letter_must(name: str, language: Language) -> None:
    sample = sample_letter(name, language, policy())
    letter = all_letters().render(sample)
    assert letter.template == f"{name}.{language}"
    names = dict.fromkeys(LetterKind, "a letter")
    said = words.fields(sample, language, names, title="n", template="t", version="v")
    for path in REQUIRED[name]:
        field, _, part = path.partition(".")
        value = said[field]
        if FIELDS[field].codes or field in HIDDEN:
            continue
        if isinstance(value, str):
            assert value, f"{field} is empty"
        else:
            assert value, f"{field} has no rows"
            assert any(row[part] for row in value), f"{path} is empty"


@pytest.mark.parametrize(("kind", "language"), list(wanted_memos()))
def test_a_memo_has_its_sample(kind: str, language: Language) -> None:
    memo = Memos.load(ROXOM).render(kind, language, sample_memo(kind, language, policy()))
    assert f"{policy().operator.reference_prefix}-7KQ4-M2PD" in memo.text
