"""The wire: what every order that comes in from people and services as a signal or an update is made of.

Orders come from outside, so an unknown field is an error. Everything else is read leniently and only ever gains fields.
A time may be written as a bare date, which means the end of that day in the operator's zone.
"""

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    TypeAdapter,
    model_serializer,
)

from models.inquiry import Actor, Area

BARE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
MOST_TEXT = 4_000

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def _clean(value: object) -> object:
    """Drop control characters and lone surrogates, which no table or letter can hold."""
    return CONTROLS.sub("", value) if isinstance(value, str) else value


# Cleaned first, then measured: what stands last in the list is done first.
Reasons = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MOST_TEXT), BeforeValidator(_clean)
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), BeforeValidator(_clean)]
Told = Annotated[str, StringConstraints(max_length=500), BeforeValidator(_clean)]
"""What a provider says of something, which may be nothing."""
Id = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_.:/-]+$")]
Key = Annotated[str, StringConstraints(min_length=1, max_length=128)]

_AWARE = TypeAdapter(AwareDatetime)


def _date_or_time(value: object) -> object:
    if isinstance(value, datetime):
        return _AWARE.validate_python(value)
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        msg = "expected a date like 2026-03-16 or a time with its offset like 2026-03-16T12:00:00Z"
        raise ValueError(msg)  # noqa: TRY004  pydantic turns a ValueError into a validation error
    return date.fromisoformat(value) if BARE_DATE.fullmatch(value) else _AWARE.validate_python(value)


When = Annotated[date | datetime, BeforeValidator(_date_or_time)]
"""A bare date, or an aware time. A naive time is refused."""


class Order(BaseModel):
    """What every command may carry besides its own fields: who, an idempotency key, the version it was decided on.

    `stands_in`: the areas for which the actor stands in today, by the staff's records; only our own services know.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    actor: Actor | None = None
    key: Key | None = None
    expected_version: Annotated[int, Field(ge=0)] | None = None
    stands_in: tuple[Area, ...] = ()

    @model_serializer(mode="wrap")
    def _say_what_is_known(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out `stands_in` where it says nothing: an older worker refuses a field it does not know."""
        said: dict[str, Any] = handler(self)
        if not self.stands_in:
            said.pop("stands_in", None)
        return said


class Draft(BaseModel):
    """What a person wrote, kept in the records database: its id, its digest, and which parts of it are filled."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    filled: tuple[Name, ...] = ()


Number = Annotated[int, Field(ge=1, le=9_999)]
