"""A letter leaves once and whole, or its error says what to do; no error says whom it was for, or shows a secret."""

import logging
import traceback
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from channels.letter import Accepted, OutboundLetter
from channels.port import Adapter
from models.errors import ChannelError, OperatorError, RecipientError, TransientError, UnknownOutcome
from tests.channels.contract.finding import each, each_excused, squeezed
from tests.channels.contract.specimen import Point, Specimen, Trouble, letter, utcnow

LONG = 12_000
VERY_LONG = 90_000
"""Characters: beyond what any channel takes in a few messages."""


@dataclass
class Parts:
    """The parts of a letter, kept as the house keeps them; `last` is the one behind which the process dies."""

    ids: list[str] = field(default_factory=list)
    last: int = 0

    @property
    def taken(self) -> tuple[str, ...]:
        return tuple(self.ids)

    def take(self, provider_id: str) -> None:
        self.ids.append(provider_id)
        if len(self.ids) == self.last:
            raise KeyboardInterrupt


def words(length: int) -> str:
    """A text in which every word is another, with characters of every size."""
    text, n = "", 0
    while len(text) < length:
        n += 1
        text += f"palabra{n} " + ("🦊ñ\n" if n % 50 == 0 else "") + ("\n" if n % 200 == 0 else "")
    return text.strip()


def failed(it: Specimen, adapter: Adapter, sent: OutboundLetter, parts: Parts | None = None) -> ChannelError:
    """The error of a letter, which tells nothing that is nobody's business."""
    with pytest.raises(ChannelError) as error:
        adapter.send(sent, parts or Parts())
    told = "\n".join([*traceback.format_exception(error.value), repr(error.value), error.value.detail])
    assert error.value.detail
    for secret in (*it.secrets, sent.to, sent.text):
        assert secret not in told, "an error shows a secret, an address or words"
    name = sent.to.partition("@")[0]
    assert name not in error.value.detail
    return error.value


@each()
@pytest.mark.rule("M4.1")
def test_an_accepted_letter_has_an_id_and_a_time_and_is_there_once(
    it: Specimen, caplog: pytest.LogCaptureFixture
) -> None:
    person, before = it.person(), utcnow()
    with caplog.at_level(logging.INFO):
        accepted = it.adapter.send(letter(person, "Recibimos su reclamo.\n\nGracias, ñandú 🦊"), Parts())
    assert isinstance(accepted, Accepted)
    assert accepted.provider_id
    assert accepted.at.utcoffset() == timedelta(0)
    assert before <= accepted.at <= utcnow()
    assert [squeezed(one) for one in it.delivered(person)] == ["Recibimos su reclamo. Gracias, ñandú 🦊"]
    logged = "\n".join(record.getMessage() for record in caplog.records)
    assert not [secret for secret in (*it.secrets, "Recibimos") if secret in logged], "a log shows what nobody may see"


@each()
@pytest.mark.parametrize("length", [LONG, VERY_LONG])
def test_a_long_letter_loses_nothing(it: Specimen, length: int) -> None:
    person, text, parts = it.person(), words(length), Parts()
    accepted = it.adapter.send(letter(person, text), parts)
    delivered = it.delivered(person)
    assert squeezed(" ".join(delivered)) == squeezed(text)
    if Point.PARTS in it.excused:
        assert len(delivered) == 1
    else:
        assert len(parts.taken) == len(delivered)
        assert accepted.provider_id == parts.taken[0]


@each(Point.PARTS)
@pytest.mark.rule("M5.5")
def test_a_letter_that_broke_off_goes_on_behind_its_last_part(it: Specimen) -> None:
    person, text, parts = it.person(), words(LONG), Parts(last=1)
    with pytest.raises(KeyboardInterrupt):
        it.adapter.send(letter(person, text), parts)
    assert len(it.delivered(person)) == 1
    parts.last = 0
    accepted = it.adapter.send(letter(person, text), parts)
    assert len(it.delivered(person)) == len(parts.taken) >= 2
    assert squeezed(" ".join(it.delivered(person))) == squeezed(text)
    assert accepted.provider_id == parts.taken[0]
    again = it.adapter.send(letter(person, text), parts)
    assert again.provider_id == accepted.provider_id
    assert len(it.delivered(person)) == len(parts.taken), "nothing is left to be sent"


def recovers(it: Specimen, person: str, text: str) -> None:
    """The same letter leaves once all is well again."""
    it.adapter.send(letter(person, text), Parts())
    assert [squeezed(one) for one in it.delivered(person)] == [text]


@each()
@pytest.mark.rule("M4.2")
def test_a_dead_address_is_the_recipients(it: Specimen) -> None:
    person = it.person()
    with it.trouble(Trouble.GONE, person) as address:
        error = failed(it, it.adapter, letter(address, "Hola"))
    assert type(error) is RecipientError
    assert it.delivered(person) == []
    recovers(it, person, "Hola")


@each(Point.FORM)
@pytest.mark.rule("M4.2")
@pytest.mark.parametrize("address", ["nobody-at-all", "../../x", "ana@example.org\r\nBcc: eva@example.org", "\u202e1"])
def test_what_is_no_address_reaches_nobody(it: Specimen, address: str) -> None:
    assert type(failed(it, it.adapter, letter(address, "Hola, esta es una carta"))) in {RecipientError, OperatorError}


@each(Point.ACCOUNT)
def test_a_fault_of_our_account_is_ours(it: Specimen) -> None:
    person = it.person()
    error = failed(it, it.rebuilt(it.refused), letter(person, "Hola"))
    assert type(error) is OperatorError
    assert not [value for value in it.refused.values() if value in str(error)]
    assert it.delivered(person) == []


@each(Point.RATE)
def test_too_many_letters_wait_as_long_as_is_asked(it: Specimen) -> None:
    person = it.person()
    with it.trouble(Trouble.RATE, person) as address:
        error = failed(it, it.adapter, letter(address, "Hola"))
    assert type(error) is TransientError
    if Point.WAIT in it.excused:
        assert error.retry_after is None
    else:
        assert error.retry_after is not None
        assert it.wait / 2 < error.retry_after <= it.wait
    assert it.delivered(person) == []
    recovers(it, person, "Hola")


@each(Point.HANG_UP)
@pytest.mark.rule("M5.5")
def test_a_letter_without_an_answer_may_have_left(it: Specimen) -> None:
    person, parts = it.person(), Parts()
    with it.trouble(Trouble.HANG_UP, person) as address:
        error = failed(it, it.adapter, letter(address, "Hola"), parts)
        assert len(it.delivered(person)) <= 1
    assert type(error) is UnknownOutcome
    assert parts.taken == (), "nobody knows that it was taken"


@each()
def test_while_nobody_answers_nothing_left(it: Specimen) -> None:
    person = it.person()
    with it.when_away() as adapter:
        error = failed(it, adapter, letter(person, "Hola"))
    assert type(error) is TransientError
    assert it.delivered(person) == []
    recovers(it, person, "Hola")


@each(Point.PUBLIC)
@pytest.mark.rule("M2.1")
def test_an_invitation_is_posted_where_everybody_reads(it: Specimen) -> None:
    place, parts = it.place(), Parts()
    accepted = it.adapter.send(letter(place, "Escríbanos en privado, por favor.", public=True), parts)
    assert it.delivered(place) == ["Escríbanos en privado, por favor."]
    assert parts.taken == (accepted.provider_id,)
    it.adapter.send(letter(place, "Escríbanos en privado, por favor.", public=True), parts)
    assert len(it.delivered(place)) == 1, "it is posted once"


@each_excused(Point.PUBLIC)
def test_where_nobody_else_reads_no_public_letter_leaves(it: Specimen) -> None:
    person = it.person()
    error = failed(it, it.adapter, letter(person, "Escríbanos en privado, por favor.", public=True))
    assert type(error) in {OperatorError, RecipientError}
    assert it.delivered(person) == []


@each()
def test_a_letter_tells_nothing_but_its_words(it: Specimen) -> None:
    """Nothing in a letter is a command to the provider: no markup, no header, no template."""
    person, hostile = it.person(), "<b>{{7*7}}</b> %s ${x} `*_[a](b)\n.\nQUIT\nRCPT TO:<eva@example.org>"
    it.adapter.send(letter(person, hostile, subject="a\r\nBcc: eva@example.org"), Parts())
    assert [squeezed(one) for one in it.delivered(person)] == [squeezed(hostile)]
