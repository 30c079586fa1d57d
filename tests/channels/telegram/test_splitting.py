import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.telegram.splitting import LONGEST, split, units


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]) | st.sampled_from(" \n😀a")), st.integers(2, 30))
def test_nothing_is_lost_and_no_part_is_too_long(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert all(len(part.encode("utf-16-le")) // 2 <= limit for part in parts)
    assert all(part.strip() for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@given(st.lists(st.text("abñ😀", min_size=1, max_size=8), min_size=1, max_size=60).map(" ".join))
def test_words_stay_whole(text: str) -> None:
    parts = split(text, 40)
    assert "".join(parts) == text
    assert [word for part in parts for word in part.split()] == text.split()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        (" \n ", []),
        ("uno", ["uno"]),
        ("x" * 8, ["x" * 8]),
        ("x" * 9, ["x" * 8, "x"]),
        ("😀" * 4, ["😀" * 4]),
        ("a" + "😀" * 4, ["a" + "😀" * 3, "😀"]),
        ("aaaa bb cc", ["aaaa bb ", "cc"]),
        ("aaaa\nbb cc", ["aaaa\n", "bb cc"]),
        ("aaaa\n\nb\nc d", ["aaaa\n\n", "b\nc d"]),
    ],
)
def test_parts_end_at_the_best_place(text: str, parts: list[str]) -> None:
    assert split(text, 8) == parts


def test_a_long_letter_is_split_at_once() -> None:
    text = "palabra 😀 " * 50_000
    parts = split(text)
    assert "".join(parts) == text
    assert max(units(part) for part in parts) <= LONGEST
