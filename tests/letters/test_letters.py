"""Every kind of letter in every language: what letters.md asks of it stands in its text and in its HTML."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.letters import words
from activities.letters.context import LetterContext
from activities.letters.fields import REQUIRED, REVIEW
from activities.letters.rendering import Rendered
from models.clock import wake
from models.identity import HELD_BACK
from models.inquiry import EMAIL, Address, Kind, Language
from models.letters import FINALS, ONE_PLACE, LetterKind
from models.post import Acceptance, accept, bounce
from tests.cases import FULL, MONDAY, SUPERVISOR, do, new_case, policy, send_all
from tests.letters.examples import (
    BOTH,
    DRAFT,
    ENGLISH,
    LATER,
    LINK,
    LIVES,
    SECOND,
    SPANISH,
    WORDS,
    all_letters,
    answered,
    context,
    escalated,
    merge,
    of,
    opened,
    sent_again,
)

ALL = list(LetterKind)
TO_USERS = [kind for kind in ALL if kind not in ONE_PLACE]
TO_BOTH = [(kind, language) for kind in TO_USERS for language in (SPANISH, ENGLISH)]
POSTED = [(LetterKind.INVITATION, SPANISH), (LetterKind.INVITATION, ENGLISH)]
ELSEWHERE = {"template", "template_version", "cause", "work", "review_by", "result", "first_extension", "old_failed"}
"""What tests of their own look at: the template's own name, and the codes that are never printed."""
LONGEST_POST, ADDRESS_COUNTS = 280, 23
"""What a post on X may hold, and what an address in it counts at least, however short it is."""
ADDRESS = re.compile(r"(?:https?://)?(?:[a-z0-9-]+\.)+[a-z]{2,}(?:/\w+)*", re.IGNORECASE)
WITH_REVIEW = [kind for kind in ALL if REVIEW[1] in REQUIRED[kind]]


def visible(page: str) -> str:
    """The words of an HTML part as a reader sees them."""
    body = page.partition("<body")[2].partition(">")[2]
    return html.unescape(re.sub(r"<[^>]*>", "", body.replace("<br>\n", "\n")))


def parts(rendered: Rendered) -> tuple[str, str]:
    return rendered.text, visible(rendered.html)


def says(rendered: Rendered, *wanted: str) -> None:
    """Both parts say all of this."""
    for part in parts(rendered):
        for one in wanted:
            assert one in part, f"{one!r} is not in\n{part}"


def values(context: LetterContext, language: Language, path: str) -> Iterator[str]:
    names = dict.fromkeys(LetterKind, "a letter")
    name, _, part = path.partition(".")
    value = words.fields(context, language, names, title="n", template="t", version="v")[name]
    if isinstance(value, str):
        yield value
    else:
        assert value, f"the example has no {name}"
        yield from (row[part] for row in value)


def render(letter: LetterKind, /, *, full: bool = False, **more: Any) -> Rendered:
    return all_letters().render(context(letter, **more), full=full)


@pytest.mark.parametrize(("kind", "language"), [*TO_BOTH, *POSTED])
def test_every_required_field_stands_in_text_and_html(kind: LetterKind, language: Language) -> None:
    said = context(kind, language=language)
    rendered = all_letters().render(said)
    for path in REQUIRED[kind]:
        if path not in ELSEWHERE:
            says(rendered, *(value for value in values(said, language, path) if value))
    assert rendered.template == f"{kind.value}.{language.value}"
    assert rendered.language is language
    assert f'<html lang="{language.value}">' in rendered.html


@pytest.mark.parametrize("kind", TO_USERS)
def test_common_parts_in_spanish(kind: LetterKind) -> None:
    rendered = render(kind, language=SPANISH)
    says(
        rendered,
        "RX-7KQ4-M2PD",
        "martes 7 de abril de 2026, 09:00 (hora de El Salvador)",
        "Roxom Markets, S.A. de C.V.",
        "licencia 66bfcaee9c3ab49e3172c5a5",
        "licencia CNAD-CD-133-2025",
        "Representante de Experiencia del Cliente, Experiencia del Cliente",
        "correo electrónico: help@roxom.com",
        "Telegram: t.me/Roxomse",
        "Nunca le pediremos contraseñas ni frases semilla.",
        "conteste este mensaje o escríbanos a help@roxom.com",
        LINK,
        "0" * 64,
        f"{kind.value}.es, versión {rendered.version}",
        "versión 1.0, del viernes 15 de noviembre de 2024",
    )
    assert rendered.subject.startswith("[RX-7KQ4-M2PD] ")


@pytest.mark.parametrize("kind", TO_USERS)
def test_common_parts_in_english(kind: LetterKind) -> None:
    rendered = render(kind, language=ENGLISH)
    says(
        rendered,
        "RX-7KQ4-M2PD",
        "Tuesday 7 April 2026, 09:00 (El Salvador Time)",
        "Roxom Markets, S.A. de C.V.",
        "licence 66bfcaee9c3ab49e3172c5a5",
        "Customer Experience Representative, Customer Experience",
        "web platform form: https://roxom.com/help",
        "We never ask for passwords or seed phrases.",
        "reply to this message or write to help@roxom.com",
        LINK,
        "0" * 64,
        f"{kind.value}.en, version {rendered.version}",
        "version 1.0 of Monday 7 October 2024",
    )


@pytest.mark.rule("M3.10")
@pytest.mark.parametrize("kind", WITH_REVIEW)
@pytest.mark.parametrize("bound", [True, False])
def test_the_right_of_review_stands_in_full(kind: LetterKind, *, bound: bool) -> None:
    says(
        render(kind, language=BOTH, bound=bound),
        "no recibe una resolución dentro de los plazos, o si no está de acuerdo con ella",
        "pedir una revisión a la Defensoría del Consumidor",
        "es gratuito y no necesita ningún otro documento ni trámite de nuestra parte",
        "910",
        "https://www.defensoria.gob.sv",
        "no resolution within the terms, or if you disagree with it",
        "it is free of charge, and you need nothing more from us",
    )


def test_letters_that_carry_the_review_are_those_of_the_table() -> None:
    without = {
        LetterKind.REFERRAL,
        LetterKind.INFORMATION_REQUEST,
        LetterKind.INFORMATION_REMINDER,
        LetterKind.IDENTITY_REQUEST,
        LetterKind.CHANNEL_CHANGE,
        LetterKind.INVITATION,
        LetterKind.MERGED,
        LetterKind.SPLIT,
        LetterKind.REMEDY_DONE,
        LetterKind.REVIEW_NOTED,
        LetterKind.REVIEW_RESULT,
        LetterKind.AUTHORITY_REPLY,
    }
    assert set(WITH_REVIEW) == set(ALL) - without


# ------------------------------------------------------------------------------------------------- what each kind says


@pytest.mark.rule("M3.2")
def test_acknowledgement() -> None:
    says(
        render(LetterKind.ACKNOWLEDGEMENT),
        "lunes 2 de febrero de 2026, 10:30 (hora de El Salvador)",
        "correo electrónico",
        "Número de su reclamo",
        "lunes 16 de marzo de 2026",
        "esa fecha puede ampliarse",
        f"«{WORDS}»",
        "responda este mensaje",
    )


@pytest.mark.rule("M1.2")
def test_an_inquiry_is_called_one() -> None:
    rendered = render(LetterKind.ACKNOWLEDGEMENT, kind=Kind.INQUIRY, language=BOTH)
    assert rendered.subject == "[RX-7KQ4-M2PD] Recibimos su consulta / We have received your inquiry"
    says(rendered, "Número de su consulta", "Number of your inquiry")


@pytest.mark.rule("M3.2")
def test_late_acknowledgement_says_sorry_what_was_promised_and_why() -> None:
    says(
        render(LetterKind.ACKNOWLEDGEMENT_LATE),
        "Le pedimos disculpas",
        "lunes 9 de febrero de 2026",
        "un retraso en nuestro propio proceso",
        "no cambia la fecha",
        "lunes 16 de marzo de 2026",
    )
    found_late = render(LetterKind.ACKNOWLEDGEMENT_LATE, now=MONDAY + timedelta(days=40), language=ENGLISH)
    says(found_late, "we found it late", "Monday 2 February 2026, 10:30")


def test_late_acknowledgement_after_a_failed_channel_says_so() -> None:
    says(
        all_letters().render(context(LetterKind.ACKNOWLEDGEMENT_LATE).model_copy(update={"cause": "channel"})),
        "no logramos entregarle el acuse",
    )


@pytest.mark.rule("M3.3")
def test_referral_names_the_area_and_who_represents_it() -> None:
    says(render(LetterKind.REFERRAL), "Finanzas", "Representante de Finanzas", "Las fechas no cambian", "16 de marzo")


def test_information_request_names_each_item_and_suspends_nothing() -> None:
    says(
        render(LetterKind.INFORMATION_REQUEST),
        "El comprobante del retiro",
        "muestra la comisión",
        "jueves 12 de febrero de 2026",
        "no suspende ningún plazo",
        "con la información que tengamos",
        "lunes 16 de marzo de 2026",
    )


@pytest.mark.rule("M3.5")
def test_extension_gives_both_dates_reasons_and_the_work_done() -> None:
    says(
        render(LetterKind.EXTENSION),
        "lunes 16 de marzo de 2026",
        "miércoles 25 de marzo de 2026",
        "1 (es la primera)",
        "Falta la respuesta del custodio.",
        "le enviamos el acuse de recibo",
    )


@pytest.mark.rule("M3.5")
def test_a_further_extension_is_called_so() -> None:
    case = do(opened(), "extend", LATER, until="2026-03-25", reasons="r")
    send_all(case, LATER)
    case = do(case, "extend", LATER, SUPERVISOR, until="2026-03-30", reasons="r")
    says(all_letters().render(of(case, LetterKind.EXTENSION)), "2 (hubo una ampliación anterior)", "ampliamos el plazo")


@pytest.mark.rule("M3.6")
def test_external_names_institution_request_estimate_and_the_extension() -> None:
    says(
        render(LetterKind.EXTERNAL),
        "Banco Central de Reserva",
        "Le pedimos confirmar la transferencia.",
        "martes 3 de febrero de 2026",
        "viernes 20 de marzo de 2026",
        "solo los necesarios para esa solicitud",
        "miércoles 25 de marzo de 2026",
    )


@pytest.mark.rule("M3.6")
def test_external_says_what_was_asked_and_which_data_were_shared() -> None:
    order: dict[str, Any] = {"institution": "Banco", "reasons": "r", "estimate": "2026-03-10"}
    case = do(opened(), "escalate", LATER, **order, asked="La fecha de acreditación.", shared="El monto y la fecha.")
    rendered = all_letters().render(of(case, LetterKind.EXTERNAL))
    says(rendered, "La fecha de acreditación.", "El monto y la fecha.")
    assert "solo los necesarios" not in rendered.text


@pytest.mark.rule("M3.5")
@pytest.mark.rule("M3.6")
def test_an_unbound_person_is_told_the_dates_in_time_and_the_account_behind_the_link() -> None:
    secret = "Cuenta 1234, USD 5,000"
    escalation: dict[str, Any] = {"institution": "Banco", "reasons": secret, "estimate": "2026-03-10"}
    case = do(opened(bound=False), "escalate", LATER, **escalation, asked=secret, shared=secret)
    said = of(case, LetterKind.EXTERNAL)
    case = do(case, "re_estimate", LATER, estimate="2026-03-12", reasons=secret)
    moved = of(case, LetterKind.RE_ESTIMATE)
    case = do(opened(bound=False), "extend", LATER, until="2026-03-25", reasons=secret)
    extended = of(case, LetterKind.EXTENSION)
    for one, date in ((said, "10 de marzo"), (moved, "12 de marzo"), (extended, "25 de marzo")):
        leaving = all_letters().render(one)
        assert not [part for part in parts(leaving) if "1234" in part]
        says(
            leaving,
            LINK,
            f"{date} de 2026",
            "Para proteger su información" if one is not said else "solo en ese enlace",
        )
        assert "1234" in all_letters().render(one, full=True).text


@pytest.mark.rule("M3.6")
def test_external_within_the_term_extends_nothing() -> None:
    case = do(opened(), "escalate", LATER, institution="Banco", reasons="r", estimate="2026-03-10")
    rendered = all_letters().render(of(case, LetterKind.EXTERNAL))
    says(rendered, "La fecha límite de nuestra respuesta final no cambia")
    assert "Se amplía" not in rendered.text


@pytest.mark.rule("M3.6")
def test_re_estimate_gives_old_and_new_date_and_how_often_it_moved() -> None:
    says(
        render(LetterKind.RE_ESTIMATE),
        "viernes 20 de marzo de 2026",
        "martes 24 de marzo de 2026",
        "Veces que ha cambiado la estimación",
        "La institución pidió más días.",
        "Banco Central de Reserva",
    )


@pytest.mark.rule("M4.2")
def test_channel_change_names_both_channels_and_the_reason() -> None:
    says(
        render(LetterKind.CHANNEL_CHANGE),
        "correo electrónico",
        "formulario de la plataforma web",
        "Usted lo pidió.",
        "Nada más cambia",
    )


@pytest.mark.rule("M4.2")
def test_a_channel_that_failed_by_itself_is_told_in_the_users_language() -> None:
    case = new_case(addresses=(Address(id="a", channel=EMAIL), SECOND), channel_order=(EMAIL, "web"))
    accept(case, Acceptance(key=case.letters[0].key, at=MONDAY))
    bounce(case, case.letters[0].key, LATER, hard=True, reason="550")
    rendered = all_letters().render(of(case, LetterKind.CHANNEL_CHANGE))
    says(rendered, "el canal anterior no permitió entregarle nuestras cartas", "formulario de la plataforma web")
    assert "earlier channel" not in rendered.text


@pytest.mark.rule("M2.1")
@pytest.mark.rule("M3.7")
@pytest.mark.parametrize("bound", [True, False])
def test_an_invitation_is_a_short_plain_post_that_names_no_inquiry(*, bound: bool) -> None:
    spanish = "Recibimos su mensaje. Para atenderle, escríbanos en privado a @roxomxyz. {}\n".format(
        "Nunca le pediremos contraseñas ni frases semilla."
    )
    english = "We got your message. Please write to us in private at @roxomxyz. {}\n".format(
        "We never ask for passwords or seed phrases."
    )
    rendered = render(LetterKind.INVITATION, language=BOTH, bound=bound)
    assert rendered.text == f"{spanish}\n{english}"
    assert render(LetterKind.INVITATION, language=SPANISH, bound=bound).text == spanish
    assert render(LetterKind.INVITATION, language=ENGLISH, bound=bound).text == english
    assert re.findall(r"<p [^>]*>(.*)</p>", rendered.html) == [spanish.strip(), english.strip()]
    said = context(LetterKind.INVITATION, language=BOTH, bound=bound)
    known = [said.reference, LINK, said.chain_head, said.words_hash, "reclamo", "complaint", "marzo", "March"]
    for part in (rendered.subject, rendered.text, rendered.html):
        assert not [one for one in (*known, *WORDS.split("\n")) if one in part]


@pytest.mark.rule("M2.1")
@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("channel", list(policy().channels.named))
def test_an_invitation_fits_in_a_post_on_x(language: Language, channel: str) -> None:
    text = render(LetterKind.INVITATION, language=language, channel=channel).text
    assert policy().channels.named[policy().channels.named[channel].answered_by].address in text
    assert len(ADDRESS.sub("u" * ADDRESS_COUNTS, text)) <= LONGEST_POST


@pytest.mark.rule("M3.7")
def test_unreadable_says_which_message_that_the_term_runs_on_and_where_else_to_write() -> None:
    rendered = render(LetterKind.UNREADABLE)
    says(
        rendered,
        "un mensaje suyo que no podemos leer: llegó cifrado o dañado",
        "Mensaje recibido",
        "martes 3 de febrero de 2026, 10:30 (hora de El Salvador)",
        "escríbanos de nuevo sin cifrar, o por otro de los canales",
        "corre desde que recibimos su primer mensaje",
        "lunes 16 de marzo de 2026",
    )
    assert re.search(r"Canal: X\n", rendered.text), "not the channel that the inquiry came over"
    assert not set(WORDS.split("\n")) & set(rendered.text.split("\n"))
    says(
        render(LetterKind.UNREADABLE, language=ENGLISH),
        "a message of yours that we cannot read: it came encrypted or damaged",
        "This does not change the term: it runs from our reception of your first message.",
        "Tuesday 3 February 2026, 10:30",
    )


def test_unreadable_as_the_first_message_is_that_of_the_inquiry() -> None:
    first = all_letters().render(of(new_case(channel="x", unreadable=True), LetterKind.UNREADABLE))
    says(first, "lunes 2 de febrero de 2026, 10:30 (hora de El Salvador)", "lunes 16 de marzo de 2026")
    assert re.search(r"Canal: X\n", first.text)


def test_unreadable_after_the_answer_promises_no_date() -> None:
    case = do(answered(), "receive_message", LATER, message="ms_2", at=LATER.isoformat(), unreadable=True)
    rendered = all_letters().render(of(case, LetterKind.UNREADABLE))
    assert "El plazo" not in rendered.text
    assert "a más tardar" not in rendered.text


@pytest.mark.rule("M3.11")
def test_missed_says_sorry_why_where_it_stands_and_an_estimate() -> None:
    says(
        render(LetterKind.MISSED),
        "lunes 16 de marzo de 2026",
        "Le pedimos disculpas",
        "el área especializada que analiza su caso",
        "Finanzas",
        "una estimación, no un plazo nuevo",
    )


@pytest.mark.rule("M3.4")
@pytest.mark.rule("M3.8")
@pytest.mark.rule("M5.7")
@pytest.mark.parametrize("kind", FINALS.values())
def test_finals_answer_every_point_and_name_the_actions(kind: LetterKind) -> None:
    says(
        render(kind),
        "La comisión del 28 de enero se cobró dos veces",
        "Se cobró una vez; el otro movimiento es el retiro",
        "Nadie contestó el chat",
        "Tiene razón: no contestamos a tiempo",
        "Leímos el libro de movimientos",
        "Consultamos a Finanzas",
        "Devolución de la comisión",
        "2.50 USD",
        "viernes 17 de abril de 2026",
        "Superintendencia del Sistema Financiero",
    )


@pytest.mark.rule("M3.9")
@pytest.mark.parametrize("kind", [LetterKind.FINAL_UNFOUNDED, LetterKind.FINAL_PARTIAL, LetterKind.FINAL_INADMISSIBLE])
def test_a_rejected_point_is_justified(kind: LetterKind) -> None:
    says(
        render(kind),
        "El tarifario vigente prevé ese cobro.",
        "Hay un solo cobro de 2.50 USD",
        "Libro de movimientos de la cuenta",
        "Tarifario, punto 4",
        "Los dos movimientos son de naturaleza distinta",
    )


def test_what_a_draft_leaves_out_leaves_no_empty_line() -> None:
    bare = {"points": [{"point": "p", "answer": "a"}], "actions": ["b"], "remedy": None}
    rendered = render(LetterKind.FINAL_UPHELD, draft=bare)
    for empty in ("Conclusión", "Regla", "Monto", "Motivos", "Lo que haremos", "A dónde puede"):
        assert empty not in rendered.text
        assert empty not in rendered.html


def test_an_empty_item_leaves_no_bullet() -> None:
    page = render(LetterKind.FINAL_UPHELD, draft={**DRAFT, "actions": ["leímos", ""]})
    assert page.html.count("<li>") == 6, "one action and five channels"
    assert "\n- \n" not in page.text


def test_after_the_final_answer_a_reply_promises_no_date_and_the_authority_hears_of_the_answer() -> None:
    case = answered()
    said = of(do(case, "reply", LATER, draft=FULL), LetterKind.REPLY)
    assert said.answer_by is None
    assert "La fecha de nuestra respuesta final" not in all_letters().render(said).text
    case = do(case, "appeal", LATER, text="t", by="authority")
    case = do(case, "reply", LATER, draft=FULL, to="authority")
    says(all_letters().render(of(case, LetterKind.AUTHORITY_REPLY)), "se envió la respuesta final")


@pytest.mark.rule("M5.7")
def test_withdrawn_repeats_the_users_words_and_date() -> None:
    for bound in (True, False):
        case = LIVES[LetterKind.WITHDRAWN](bound=bound)
        said = of(case, LetterKind.WITHDRAWN, words="Ya llegó, lo retiro.", written_at=MONDAY)
        letter = all_letters().render(said)
        says(
            letter,
            "lunes 2 de febrero de 2026, 10:30",
            "martes 3 de febrero de 2026",
            "Puede volver cuando quiera",
        )
        assert ("«Ya llegó, lo retiro.»" in letter.text) is bound
        assert "Ya no hace falta" not in letter.text  # the agent's reasons are not the user's words


def test_reopened_keeps_the_reference_and_gives_new_dates() -> None:
    says(
        render(LetterKind.REOPENED),
        "Apareció el comprobante.",
        "martes 7 de abril de 2026, 09:00",
        "miércoles 20 de mayo de 2026",
        "nuestra respuesta anterior sigue vigente",
    )


def test_merged_says_which_case_leads_and_from_when() -> None:
    leading = render(LetterKind.MERGED)
    says(leading, "RX-OTHR-1111", "viernes 30 de enero de 2026, 10:30", "Todas las referencias siguen siendo válidas")
    ended = all_letters().render(of(merge(opened(), leads=False), LetterKind.MERGED))
    assert re.search(r"Caso que continúa: RX-OTHR-1111\s+El otro caso: RX-7KQ4-M2PD", ended.text)
    says(ended, "lunes 16 de marzo de 2026")


def test_split_lists_the_points_in_order() -> None:
    points = [f"Punto {n}" for n in range(1, 13)]
    case = do(opened(), "split", LATER, other="RX-OTHR-1111", points=points)
    rendered = all_letters().render(of(case, LetterKind.SPLIT))
    assert re.findall(r"- (Punto \d+)", rendered.text) == points
    says(rendered, "RX-OTHR-1111", "lunes 16 de marzo de 2026")


@pytest.mark.rule("M3.10")
def test_review_noted_and_result() -> None:
    says(
        render(LetterKind.REVIEW_NOTED),
        "La Defensoría del Consumidor nos notificó",
        "DC-2026-118",
        "viernes 20 de febrero de 2026",
        "La revisión no cambia ningún plazo",
        "lunes 16 de marzo de 2026",
    )
    says(render(LetterKind.REVIEW_RESULT), "se revocó nuestra respuesta", "Devolveremos la comisión.", "DC-2026-118")
    by_user = do(opened(), "appeal", LATER, text="Iré a la Defensoría.")
    says(all_letters().render(of(by_user, LetterKind.REVIEW_NOTED)), "Tomamos nota de que usted pide una revisión")


@pytest.mark.rule("M3.10")
@pytest.mark.parametrize("language", list(Language))
def test_the_authority_is_answered_in_spanish_with_index_facts_letters_and_proofs(language: Language) -> None:
    rendered = render(LetterKind.AUTHORITY_REPLY, language=language, bound=False)
    assert (rendered.template, rendered.language) == ("authority_reply.es", SPANISH)
    says(
        rendered,
        "DC-2026-118",
        "Índice",
        "Posición de la entidad",
        "Revisamos el movimiento número 4471.",
        f"«{WORDS}»",
        "se envió el acuse de recibo",
        "Acuse de recibo",
        "RX-7KQ4-M2PD/acknowledgement/1",
        "aún no recibida",
        "licencia CNAD-CD-133-2025",
        "0" * 64,
    )
    assert LINK not in rendered.text + rendered.html


def test_reply_carries_the_text_and_the_date_that_stands() -> None:
    says(render(LetterKind.REPLY), "Revisamos el movimiento número 4471.", "lunes 16 de marzo de 2026")


# ------------------------------------------------------------------------------------ languages, unbound, again, copies


@pytest.mark.parametrize("kind", TO_USERS)
def test_bilingual_letters_are_spanish_then_english_in_one(kind: LetterKind) -> None:
    rendered = render(kind, language=BOTH)
    spanish, english = render(kind, language=SPANISH), render(kind, language=ENGLISH)
    assert rendered.template == f"{kind.value}.es+en"
    assert rendered.version == f"{spanish.version}/{english.version}"
    for part in parts(rendered):
        assert 0 < part.index("prevalece el texto en español") < part.index("the Spanish text prevails")
    assert rendered.html.index('<div lang="es"') < rendered.html.index('<div lang="en"')
    assert "prevalece" not in spanish.text


@pytest.mark.parametrize(("kind", "language"), TO_BOTH)
def test_an_unbound_person_gets_no_account_content(kind: LetterKind, language: Language) -> None:
    said = context(kind, language=language, bound=False)
    leaving, complete = all_letters().render(said), all_letters().render(said, full=True)
    held_back = [WORDS.split("\n")[0], "4471", "2.50 USD", "comprobante", "Ya no hace falta", "retiro de diciembre"]
    held_back += [point["point"] for point in DRAFT["points"]] + ["Devolveremos la comisión."]
    held_back += ["del custodio", "Le pedimos confirmar", "pidió más días"]
    for part in parts(leaving):
        assert not [secret for secret in held_back if secret in part]
    says(leaving, LINK, "RX-7KQ4-M2PD", "0" * 64)
    assert complete == render(kind, language=language, bound=True)
    assert said.pointer_only is (kind in HELD_BACK)
    if said.pointer_only:
        title = complete.text.splitlines()[2]
        assert leaving.template == f"pointer.{language.value}"
        assert title not in leaving.text + leaving.html + leaving.subject


def test_an_unbound_acknowledgement_shows_the_salted_hash() -> None:
    said = context(LetterKind.ACKNOWLEDGEMENT, bound=False)
    assert re.fullmatch(r"[0-9a-f]{64}", said.words_hash)
    says(all_letters().render(said), said.words_hash, "lunes 16 de marzo de 2026")
    other = context(LetterKind.ACKNOWLEDGEMENT, bound=False, words="otro")
    assert other.words_hash != said.words_hash


def test_a_letter_sent_again_and_a_copy_say_so() -> None:
    said = of(sent_again(), LetterKind.ACKNOWLEDGEMENT)
    says(all_letters().render(said), "Ya le habíamos enviado esta carta")
    copied = said.model_copy(update={"facts": {}, "copy_of": "RX-7KQ4-M2PD/acknowledgement/1"})
    says(all_letters().render(copied), "Esta es una copia")


def test_a_subject_says_nothing_of_the_person() -> None:
    for kind in ALL:
        subject = render(kind, language=BOTH).subject
        assert len(subject) <= 200
        assert subject.count("RX-7KQ4-M2PD") == (kind is not LetterKind.INVITATION)
        assert not [word for word in ("comisión", "Banco", "@", "Finanzas") if word in subject]


# -------------------------------------------------------------------------------------------------- the user's own text

HOSTILE = (
    "{{7*7}} {% raw %} %s <script>alert(1)</script> &amp; \"'\n"
    "# not a heading\n- no item\na :: b\n---\n> no quotation \ue0000\ue001"
)


@pytest.mark.parametrize("kind", [LetterKind.ACKNOWLEDGEMENT, LetterKind.FINAL_UNFOUNDED, LetterKind.REPLY])
def test_hostile_text_stays_text(kind: LetterKind) -> None:
    draft = {"text": HOSTILE, "points": [{"point": HOSTILE, "answer": HOSTILE, "why": HOSTILE}], "actions": [HOSTILE]}
    rendered = render(kind, words=HOSTILE, draft=draft)
    says(rendered, HOSTILE)
    assert "<script" not in rendered.html
    assert "<h1" not in rendered.html.replace("<h1 style", "", 1)


written = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"], include_characters="\n\t"), min_size=1)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(written)
def test_any_text_survives_literally(text: str) -> None:
    said = context(LetterKind.ACKNOWLEDGEMENT).model_copy(update={"words": text})
    rendered = all_letters().render(said)
    assert f"«{text}»" in rendered.text
    assert f"«{text}»" in visible(rendered.html)


def test_controls_that_no_mail_may_hold_are_replaced_and_line_ends_made_one() -> None:
    said = context(LetterKind.ACKNOWLEDGEMENT).model_copy(update={"words": "a\r\nb\x00\rc\x1b[31m\ud800"})
    says(all_letters().render(said), "«a\nb\ufffd\nc\ufffd[31m\ufffd»")


class Balance(HTMLParser):
    """Every element that is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "br", "hr"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("kind", ALL)
def test_the_page_is_well_formed_and_names_its_languages(kind: LetterKind) -> None:
    page = render(kind, language=BOTH).html
    balance = Balance()
    balance.feed(page)
    balance.close()
    assert balance.open == []
    assert page.startswith('<!DOCTYPE html>\n<html lang="es">')
    assert [lang for lang in ("es", "en") if f'<div lang="{lang}"' in page] == (
        ["es"] if kind is LetterKind.AUTHORITY_REPLY else ["es", "en"]
    )
    assert page.count("<title>") == 1
    assert "\ue000" not in page


def test_a_users_link_is_never_made_clickable_and_ours_are() -> None:
    page = render(LetterKind.ACKNOWLEDGEMENT, words="https://evil.example.org/").html
    assert re.findall(r'href="([^"]*)"', page) == [
        "https://www.defensoria.gob.sv",
        LINK,
        "https://docs.roxom.com/legal/user-communication-manual",
    ]
    assert not re.search(r"<(img|script|link|iframe|style)|url\(|src=", page)


# ---------------------------------------------------------------------------------------------------------- the context


def test_dates_in_words_of_a_due_time_within_the_day() -> None:
    speech = words.Speech(SPANISH, "America/El_Salvador")
    assert speech.written("2026-03-17T05:59:59+00:00") == "lunes 16 de marzo de 2026"
    assert speech.written("2026-03-16T18:00:00+00:00") == "lunes 16 de marzo de 2026, 12:00 (hora de El Salvador)"
    assert speech.written("2026-04-17") == "viernes 17 de abril de 2026"
    assert speech.written("cuanto antes") == "cuanto antes"
    assert "\u202f" not in words.Speech(ENGLISH, "America/El_Salvador").moment(MONDAY)


def test_the_date_told_stands_before_the_running_one() -> None:
    case = opened()
    assert case.told is not None
    case.told = case.told - timedelta(days=1)
    case = do(case, "refer", LATER, area="finance", question="q")
    says(all_letters().render(of(case, LetterKind.REFERRAL)), "domingo 15 de marzo de 2026")


def test_what_the_policy_forgot_is_named_as_it_is() -> None:
    case = new_case()
    case.channel = "fax"
    says(all_letters().render(of(case, LetterKind.ACKNOWLEDGEMENT)), "fax")
    case = do(opened(areas=("cx", "quality")), "refer", LATER, area="quality", question="q")
    says(all_letters().render(of(case, LetterKind.REFERRAL)), "quality", "Representante de Experiencia del Cliente")


def test_the_work_done_tells_all_that_was_done() -> None:
    case = do(opened(), "refer", LATER, area="security", question="q")
    case = do(case, "answer_referral", LATER, area="security", findings="f")
    case = do(
        case, "request_information", LATER, draft={"id": "d", "digest": "0" * 64, "filled": ("items",)}, by="2026-02-12"
    )
    case = do(case, "extend", LATER, until="2026-03-25", reasons="r")
    says(
        all_letters().render(of(case, LetterKind.EXTENSION)),
        "consultamos al área especializada (Seguridad)",
        "recibimos el resultado de esa área (Seguridad)",
        "le pedimos información adicional",
    )


def test_missed_while_an_institution_is_awaited_names_it() -> None:
    case = escalated()
    send_all(case, LATER)
    wake(case, LATER + timedelta(days=60))
    says(
        all_letters().render(of(case, LetterKind.MISSED)),
        "seguimos esperando la respuesta de una institución externa (Banco Central de Reserva)",
    )


@pytest.mark.parametrize("language", [Language.ES, Language.EN])
@pytest.mark.parametrize("channel", [EMAIL, "telegram"])
def test_only_a_mail_says_where_to_write_an_answer(language: Language, channel: str) -> None:
    there = (Address(id="ad_1", channel=channel),)
    said = render(LetterKind.ACKNOWLEDGEMENT, language=language, addresses=there).text
    line = "sobre esta línea" if language is Language.ES else "above this line"
    assert (line in said) is (channel == EMAIL)


@pytest.mark.rule("M3.8")
def test_a_kept_promise_names_what_was_done_how_much_and_when() -> None:
    rendered = render(LetterKind.REMEDY_DONE, language=BOTH)
    says(rendered, "Le devolvemos la comisión.", "USD 2.50", "martes 3 de febrero de 2026", "3 February 2026")
    hidden = render(LetterKind.REMEDY_DONE, bound=False)
    assert "USD 2.50" not in hidden.text
