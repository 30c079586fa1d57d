"""The list of mutations fits the code, and no rule that is kept goes without one."""

from tests.mutations import MUTATIONS, misfits
from tests.rules import MANUAL, read_rules


def test_every_mutation_still_fits_the_code() -> None:
    assert misfits() == []


def test_every_rule_that_is_kept_can_be_seen_to_break() -> None:
    promised = {rule.id for rule in read_rules(MANUAL.read_text(encoding="utf-8")) if rule.promised}
    assert promised == {mutation.rule for mutation in MUTATIONS}
