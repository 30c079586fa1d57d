"""What a message seems to raise, in Spanish and English, well written or not."""

import pytest

from models.points import LONGEST, MOST, folded, propose

SPANISH = """Buenas tardes,

El 28 de enero me cobraron dos veces la comisión. Pido que me devuelvan una.
¿Por qué nadie contesta el chat? Llevo una semana esperando.

Saludos,
Ana
"""
ENGLISH = (
    'Started the refinance on the 4th. Necessary documents were submitted. They told me that "all is in order." '
    "However, I got a revised estimate, less by {$30000.00}. Hence, I want to get back the deposit of {$350.00}."
)
LIST = """> El 3 de marzo escribió:
> ¿quiere algo más?
Hola, equipo:
1. Mi retiro de 0.5 BTC
2) la tarjeta que
   no me llega
- ok
Gracias
"""


def test_questions_and_demands_are_points() -> None:
    assert propose(SPANISH) == ("Pido que me devuelvan una.", "¿Por qué nadie contesta el chat?")
    assert propose(ENGLISH) == ("Hence, I want to get back the deposit of {$350.00}.",)


def test_the_lines_of_a_list_are_points_and_quoted_lines_are_not() -> None:
    assert propose(LIST) == ("Mi retiro de 0.5 BTC", "la tarjeta que no me llega")


def test_a_list_ends_where_the_text_goes_on() -> None:
    assert propose("- la tarjeta azul\nNada más por hoy.\n¿Cuándo llega?") == ("la tarjeta azul", "¿Cuándo llega?")


def test_who_asks_for_nothing_says_what_went_wrong() -> None:
    assert propose("It was a nice day. My account was blocked. I called.") == ("My account was blocked.",)
    assert propose("Ayer hice un retiro. Sigo mirando la pantalla.") == ("Ayer hice un retiro.",)
    assert propose("Retiro") == ("Retiro",)


@pytest.mark.parametrize("text", ["", "  \n ", "12345", "> todo citado, ¿verdad?\n"])
def test_where_nothing_is_said_nothing_is_proposed(text: str) -> None:
    assert propose(text) == ()


def test_a_point_is_proposed_once_is_short_and_there_are_not_too_many() -> None:
    assert propose("¿Dónde está mi dinero? Escribo otra vez. ¿DÓNDE está mi dinero?") == ("¿Dónde está mi dinero?",)
    (long,) = propose("I want " + "my money back and " * 40)
    assert len(long) <= LONGEST
    assert long.endswith("…")
    assert len(propose("\n".join(f"- point number {word} of mine" for word in "abcdefghijklmnop"))) == MOST


def test_two_spellings_of_a_point_are_one() -> None:
    assert folded("¿Dónde está MI dinero?") == folded("dónde está mi dinero") != folded("dónde está mi retiro")
