"""The web form in tests: the same way in as at the door."""

from datetime import UTC, datetime

from starter.reception.intake import Intake
from starter.reception.reading import read
from starter.reception.receipt import Receipt
from starter.reception.web_form import FormEntrance, KeyedForm, WebForm

MOST_TEXT = 20_000


def fill_in(intake: Intake, form: WebForm, key: str | None = None, *, at: datetime | None = None) -> Receipt:
    """Take in a form that came `at`, or now."""
    post = KeyedForm.of(form, key).post()
    return read(intake, FormEntrance(MOST_TEXT), post, at or datetime.now(UTC)).receipts[0]
