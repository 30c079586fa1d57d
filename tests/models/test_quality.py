"""The sample of a month's answers, and what a verdict must say."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.policy_file import Bilingual
from models.quality import Lot, Quality, Verdict, draw, lacking

CRITERIA = {name: Bilingual(es=name, en=name) for name in ("clear", "complete")}
GOOD = Verdict(good=True)


def quality(share: int = 10, at_least: int = 2, version: str = "1") -> Quality:
    return Quality(version=version, share_percent=share, at_least=at_least, criteria=CRITERIA)


def lots(**counts: int) -> list[Lot]:
    """So many answers of each person in each of two areas."""
    return [
        Lot(f"{by}-{area}-{n}", by, area, "complaint")
        for by, count in counts.items()
        for area in ("cx", "legal")
        for n in range(count)
    ]


def by_stratum(drawn: set[str], of: list[Lot]) -> Counter[tuple[str, str]]:
    return Counter((lot.by, lot.area) for lot in of if lot.mark in drawn)


@pytest.mark.rule("M3.11")
def test_each_persons_areas_give_their_share_rounded_up() -> None:
    answers = lots(ana=41, bea=5)
    found = by_stratum(draw(quality(), "2026-03", answers), answers)
    assert found == {("ana", "cx"): 5, ("ana", "legal"): 5, ("bea", "cx"): 1, ("bea", "legal"): 1}


def test_everybody_has_at_least_so_many_where_there_are_so_many() -> None:
    answers = [*lots(ana=40, bea=3), Lot("only", "cid", "cx", "inquiry")]
    found = Counter(lot.by for lot in answers if lot.mark in draw(quality(0, 4), "2026-03", answers))
    assert found == {"ana": 4, "bea": 4, "cid": 1}
    assert draw(quality(0, 0), "2026-03", answers) == set()
    assert draw(quality(100, 0), "2026-03", answers) == {lot.mark for lot in answers}


@given(st.permutations(lots(ana=12, bea=4)))
def test_the_same_month_gives_the_same_sample_in_whatever_order(answers: list[Lot]) -> None:
    assert draw(quality(), "2026-03", answers) == draw(quality(), "2026-03", sorted(answers))


def test_another_month_or_version_draws_others() -> None:
    answers = lots(ana=40)
    samples = [draw(quality(version=version), month, answers) for version in "12" for month in ("2026-03", "2026-04")]
    assert all(one != other for n, one in enumerate(samples) for other in samples[:n])


@pytest.mark.parametrize(
    ("verdicts", "fields"),
    [
        ({}, ["verdicts.clear", "verdicts.complete"]),
        ({"clear": GOOD, "complete": Verdict(good=False)}, ["verdicts.complete.remark"]),
        ({"clear": GOOD, "complete": GOOD, "kind": GOOD}, ["verdicts.kind"]),
        ({"clear": GOOD, "kind": Verdict(good=False)}, ["verdicts.complete", "verdicts.kind"]),
    ],
)
def test_a_verdict_says_each_criterion_once_and_why_not(verdicts: dict[str, Verdict], fields: list[str]) -> None:
    assert [one.field for one in lacking(CRITERIA, verdicts)] == fields


def test_a_whole_verdict_passes() -> None:
    assert lacking(CRITERIA, {"clear": GOOD, "complete": Verdict(good=False, remark="The fee is not told.")}) == []
