import time

import pytest

from channels.email.quoting import cut_quoted

OWN = "No me ha llegado el retiro."

QUOTED = [
    "El lun, 23 nov 2026 a las 10:00, Ayuda (<help@example.org>) escribió:\n> Estimada Ana\n> saludos",
    "El lun, 23 nov 2026 a las 10:00, Ayuda\n<help@example.org> escribió:\n\n> Estimada Ana",
    "On Mon, Nov 23, 2026 at 10:00 AM Help <help@example.org> wrote:\n> Dear Ana",
    "De: Ayuda <help@example.org>\nEnviado el: lunes\nPara: Ana\nAsunto: Acuse\n\nEstimada Ana",
    "From: Help <help@example.org>\nSent: Monday\nTo: Ana\nSubject: Receipt\n\nDear Ana",
    "-----Mensaje original-----\nDe: Ayuda\n\nEstimada Ana",
    "-----Original Message-----\nFrom: Help\n\nDear Ana",
    "## Escriba sobre esta línea ##\nEstimada Ana",
    "-- Please reply above this line --\nDear Ana",
    "El lun, 23 nov 2026, Ayuda <help@example.org> escribió:\n\n> ## Responda por encima de esta línea ##\n> x",
    "> Estimada Ana\n> saludos",
]


@pytest.mark.parametrize("quoted", QUOTED)
def test_the_senders_own_words_stay_alone(quoted: str) -> None:
    assert cut_quoted(f"{OWN}\n\n{quoted}") == OWN


def test_answers_between_and_below_quoted_lines_stay() -> None:
    text = "El lun, Ayuda <a@example.org> escribió:\n> ¿Cuál es su cuenta?\n1234\n> ¿Desde cuándo?\nDesde ayer"
    assert cut_quoted(text) == "1234\nDesde ayer"


@pytest.mark.parametrize("text", ["", *QUOTED[3:5], "> solo citado", f"{OWN}\nPara: nadie\nEscribió mucho: sí"])
def test_nothing_is_cut_where_nothing_would_stay_or_nothing_is_quoted(text: str) -> None:
    assert cut_quoted(text) == text


def test_a_million_lines_take_no_longer_than_a_webhook_may() -> None:
    begin = time.process_time()
    cut_quoted("El El El \n" * 200_000)
    cut_quoted("El " * 700_000)
    assert time.process_time() - begin < 2
