"""Quality review: which of a month's final answers a second reader looks at, and what a verdict on one must say.

The sample follows from the month, the policy and the ledger, so whoever draws it again draws the same one. Nobody can
know beforehand whether an answer will be in it: the lot is the hash of the chain's link that tells of the answer.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, NamedTuple

from pydantic import Field

from models.causes import CodeWord
from models.errors import Missing
from models.inquiry import ActorId
from models.policy_file import Bilingual, Section, Text


class Quality(Section):
    """`[quality]`: how many percent of each person's answers of an area and kind, at least how many of each person's.

    `criteria` are what an answer is judged by. Another `version` draws another sample.
    """

    version: Text
    share_percent: Annotated[int, Field(ge=0, le=100)]
    at_least: Annotated[int, Field(ge=0, le=100)]
    criteria: Annotated[dict[CodeWord, Bilingual], Field(min_length=1, max_length=20)]


class Lot(NamedTuple):
    """An answer that may be drawn: who gave it, in which area, on what kind of inquiry; `mark` is its link's hash."""

    mark: str
    by: ActorId
    area: str
    inquiry: str


class Verdict(NamedTuple):
    """Whether an answer meets one criterion, and what there is to say about it."""

    good: bool
    remark: str = ""


def draw(quality: Quality, month: str, lots: Iterable[Lot]) -> set[str]:
    """Return the marks of the answers of a month, such as `2026-10`, that are looked at.

    Of each person's answers of one area and kind it takes the share, rounded up, in the order of their lots; whoever
    has fewer than `at_least` then, their next ones.
    """
    order = sorted(lots, key=lambda lot: hashlib.sha256(f"{quality.version} {month} {lot.mark}".encode()).hexdigest())
    strata, persons = defaultdict(list), defaultdict(list)
    for lot in order:
        strata[lot.by, lot.area, lot.inquiry].append(lot)
        persons[lot.by].append(lot)
    drawn: set[str] = set()
    for stratum in strata.values():
        share = -(-len(stratum) * quality.share_percent // 100)
        drawn.update(lot.mark for lot in stratum[:share])
    for own in persons.values():
        rest = [lot.mark for lot in own if lot.mark not in drawn]
        short = quality.at_least - (len(own) - len(rest))
        drawn.update(rest[: max(0, short)])
    return drawn


def lacking(criteria: Collection[str], verdicts: Mapping[str, Verdict]) -> list[Missing]:
    """What is wrong with verdicts: a criterion that is left out, one that there is not, a no without its reason."""
    missing = [Missing(f"verdicts.{one}", "say whether the answer meets it") for one in criteria if one not in verdicts]
    unknown = [one for one in verdicts if one not in criteria]
    missing += [Missing(f"verdicts.{one}", f"is no criterion; one of {', '.join(criteria)}") for one in unknown]
    bare = [name for name, one in verdicts.items() if name in criteria and not one.good and not one.remark]
    return missing + [Missing(f"verdicts.{name}.remark", "a no wants its reason") for name in bare]
