import pytest

from channels.guess import kind_of, language_of
from models.inquiry import Kind, Language
from starter.commands.samples import samples


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hola, no me ha llegado el retiro que pedí el lunes a mi cuenta", Language.ES),
        ("Hello, I have not received the withdrawal that I asked for", Language.EN),
        ("I have a problem with my account: dice que no está verificada y no puedo retirar el dinero", None),
        ("ok", None),
        ("", None),
        ("12345 !!!", None),
    ],
)
def test_the_language_is_guessed_where_it_is_clear(text: str, language: Language | None) -> None:
    assert language_of(text) is language


@pytest.mark.rule("M1.2")
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("¿Cómo puedo verificar mi cuenta?", Kind.INQUIRY),
        ("What are the fees for a withdrawal?", Kind.INQUIRY),
        ("¿Cuándo me devuelven el dinero que me robaron?", Kind.COMPLAINT),
        ("Why has my withdrawal not arrived? I can't log in", Kind.COMPLAINT),
        ("Presento un reclamo", Kind.COMPLAINT),
        ("hola", Kind.COMPLAINT),
        ("", Kind.COMPLAINT),
    ],
)
def test_what_is_unclear_is_a_complaint(text: str, kind: Kind) -> None:
    assert kind_of(text) is kind


def test_nine_real_complaints_are_taken_for_complaints() -> None:
    assert [kind_of(f"{sample.subject}\n{sample.words}") for sample in samples()] == [Kind.COMPLAINT] * 9
