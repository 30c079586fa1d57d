"""Who stands behind an address decides what a letter says there: the table, against every template."""

import pytest

from models.identity import Level, Says, says
from models.inquiry import EMAIL, Address
from models.letters import LetterKind
from tests.cases import FULL, do
from tests.letters.examples import DRAFT, LATER, all_letters, of, opened
from tests.letters.test_letters import TO_USERS, render


@pytest.mark.parametrize("kind", [one for one in TO_USERS if one is not LetterKind.IDENTITY_REQUEST])
def test_what_leaves_for_whom_is_what_the_table_says(kind: LetterKind) -> None:
    whole = render(kind, bound=True)
    leaving = render(kind, bound=False)
    allowed = says(Level.UNVERIFIED, kind)
    assert (leaving.template.startswith("pointer")) is (allowed is Says.POINTER)
    assert (leaving.text == whole.text) is (allowed is Says.WHOLE)
    assert {says(level, kind) for level in (Level.BOUND, Level.REPRESENTATIVE)} == {Says.WHOLE}


def test_whoever_holds_a_power_of_attorney_reads_all_of_what_the_user_would_not() -> None:
    counsel = Address(id="ad_counsel", channel=EMAIL)
    case = do(
        opened(bound=False),
        "accept_representative",
        LATER,
        address=counsel.model_dump(mode="json"),
        document="0" * 64,
        until="2026-12-31",
        reasons="checked",
    )
    case = do(case, "reply", LATER, draft=FULL)
    said = of(case, LetterKind.REPLY)
    assert case.letters[-1].address == counsel
    assert not said.pointer_only
    assert DRAFT["text"] in all_letters().render(said).text
