"""References: random, readable, and safe against one slip."""

import random
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import UnknownInquiry
from models.reference import (
    ALPHABET,
    find_references,
    is_reference,
    new_reference,
    reference_of,
    workflow_id,
)

EXAMPLE = "RX-7KQ4-M2PD"
references = st.integers().map(lambda n: new_reference("RX", random.Random(n)))
positions = [3, 4, 5, 6, 8, 9, 10, 11]


def test_a_reference_reads_like_the_example() -> None:
    assert is_reference(EXAMPLE)
    assert is_reference(new_reference("PLAZO", secrets.SystemRandom()))
    assert not set("0O1ILUS") & set(ALPHABET)
    assert len(new_reference("RX", random.Random(1))) == len(EXAMPLE)


def test_references_are_random_and_repeat_with_the_seed() -> None:
    assert new_reference("RX", random.Random(7)) == new_reference("RX", random.Random(7))
    generator = random.Random(7)
    assert len({new_reference("RX", generator) for _ in range(2000)}) == 2000


@given(references)
def test_every_single_substitution_is_detected(reference: str) -> None:
    assert is_reference(reference)
    for position in positions:
        for character in ALPHABET:
            if character != reference[position]:
                assert not is_reference(reference[:position] + character + reference[position + 1 :])


@given(references)
def test_every_swap_of_two_different_characters_is_detected(reference: str) -> None:
    for one in positions:
        for other in positions:
            if reference[one] != reference[other]:
                swapped = list(reference)
                swapped[one], swapped[other] = swapped[other], swapped[one]
                assert not is_reference("".join(swapped))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "RX",
        "rx-7kq4-m2pd",
        "RX7KQ4M2PD",
        "RX-7KQ4-M2P0",
        EXAMPLE + "\n",
        " " + EXAMPLE,
        "X-7KQ4-M2PD",
        "RX-7KQ4M2PD",
    ],
)
def test_what_is_not_exactly_a_reference_is_none(text: str) -> None:
    assert not is_reference(text)


@given(st.text(max_size=200))
def test_any_text_can_be_searched(text: str) -> None:
    assert all(is_reference(found) for found in find_references(text, "RX"))


@pytest.mark.parametrize(
    "text",
    [
        "Re: [RX-7KQ4-M2PD] Acuse de recibo",
        "mi caso rx-7kq4-m2pd por favor",
        "RX 7KQ4 M2PD",
        "rx7kq4m2pd",
        "RX\u20117KQ4\u2013M2PD.",
        "<b>RX-7KQ4-M2PD</b> RX-7KQ4-M2PD",
    ],
)
def test_people_write_references_in_many_ways(text: str) -> None:
    assert find_references(text, "RX") == (EXAMPLE,)


@pytest.mark.parametrize(
    "text", ["AY-7KQ4-M2PD", "RX-7KQ4-M2PE", "XRX-7KQ4-M2PD", "RX-7KQ4-M2PDX", "R\u212a-7KQ4-M2PD"]
)
def test_what_only_looks_like_one_is_left(text: str) -> None:
    assert find_references(text, "RX") == ()


def test_several_references_keep_their_order() -> None:
    other = new_reference("RX", random.Random(3))
    assert find_references(f"{other} {EXAMPLE} {other}", "RX") == (other, EXAMPLE)


def test_a_megabyte_is_searched_at_once() -> None:
    assert find_references("RX-7KQ4-" * 131_072 + EXAMPLE, "RX") == (EXAMPLE,)


def test_the_workflow_id_carries_the_reference_and_nothing_else() -> None:
    assert workflow_id(EXAMPLE) == "inquiry/RX-7KQ4-M2PD"
    assert reference_of(workflow_id(EXAMPLE)) == EXAMPLE


@pytest.mark.parametrize("text", [EXAMPLE, "inquiry/", "inquiry/RX-7KQ4-M2PE", "report/RX-7KQ4-M2PD"])
def test_another_workflows_id_holds_no_reference(text: str) -> None:
    with pytest.raises(UnknownInquiry, match="not the id of an inquiry"):
        reference_of(text)
