from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.x.wording import split, weight, written


@given(st.text(st.sampled_from("ab \n\n  ñ🙂"), min_size=1, max_size=200), st.integers(5, 40))
def test_parts_lose_nothing_and_are_never_too_long(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(len(part) <= limit for part in parts)
    assert all(part.strip() == part for part in parts)
    assert all(part or not text.strip() for part in parts)


@given(st.lists(st.text(st.sampled_from("abcñ"), min_size=1, max_size=10), min_size=1, max_size=60))
def test_no_word_that_fits_is_broken(words: list[str]) -> None:
    assert " ".join(split(" ".join(words), 25)).split() == words


def test_a_letter_breaks_between_paragraphs_first() -> None:
    assert split("uno dos\n\ntres cuatro", 14) == ["uno dos", "tres cuatro"]
    assert split("a" * 10_000) == ["a" * 10_000]
    assert [len(part) for part in split("a" * 10_001)] == [10_000, 1]


@pytest.mark.parametrize(
    ("text", "takes"),
    [
        ("", 0),
        ("a" * 280, 280),
        ("ñandú ¿qué?", 11),
        ("\u201cquoted\u201d \u2013", 10),
        ("你好", 4),
        ("🙂", 2),
        ("https://example.org/a/very/long/path/that/goes/on/and/on", 23),
        ("see http://a.example and t.me/b", 23 + 23 + 9),
        ("e\u0301", 1),
    ],
)
def test_a_post_weighs_what_x_finds(text: str, takes: int) -> None:
    assert weight(text) == takes


def test_short_links_are_spelled_out_once_and_nothing_else_is() -> None:
    links: list[dict[str, Any]] = [
        {"url": "https://t.co/a", "expanded_url": "https://example.org/?a=1&amp;b"},
        {"url": "https://t.co/b", "expanded_url": "javascript:alert(1)"},
        {"url": "o", "expanded_url": "https://example.org/evil"},
        {"url": "https://t.co/c", "expanded_url": "https://t.co/a"},
        {"url": 7},
    ]
    text = "go https://t.co/a, https://t.co/ab https://t.co/b https://t.co/c"
    assert written(text, links) == "go https://example.org/?a=1&b, https://t.co/ab https://t.co/b https://t.co/a"
