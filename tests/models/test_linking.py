"""Cases that have to do with each other."""

from typing import Any

import pytest

from models.case import Case
from models.errors import Refused
from tests.cases import MONDAY, acknowledged, do

OTHER = "RX-OTHR-1111"


def linked(case: Case) -> Case:
    return do(case, "link", MONDAY, other=OTHER, reasons="The same outage.")


def refused(case: Case, name: str, **order: Any) -> str:
    with pytest.raises(Refused) as caught:
        do(case, name, MONDAY, **order)
    return caught.value.code


@pytest.mark.rule("M5.5")
def test_a_case_names_what_it_has_to_do_with_and_keeps_its_own_terms() -> None:
    before = acknowledged()
    case = linked(before)
    assert case.linked == (OTHER,)
    assert case.owed() == before.owed()
    assert case.pending[-1].texts == {"reasons": "The same outage."}
    case = do(case, "unlink", MONDAY, other=OTHER, reasons="Another one.")
    assert case.linked == ()
    assert [fact.type for fact in case.pending[-2:]] == ["case.linked", "case.unlinked"]


def test_refusals() -> None:
    case = linked(acknowledged())
    assert refused(case, "link", other=OTHER, reasons="x") == "link.known"
    assert refused(case, "link", other=case.reference, reasons="x") == "link.itself"
    assert refused(case, "unlink", other="RX-2222-2222", reasons="x") == "link.none"
