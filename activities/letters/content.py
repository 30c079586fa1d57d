"""The content of a draft, as the letters read it: what a person wrote, kept in the records database."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


def _lines(value: object) -> object:
    """A list of short texts may stand where one text does."""
    return "\n".join(str(one) for one in value) if isinstance(value, (list, tuple)) else value


def _remedy(value: object) -> object:
    return {"what": value} if isinstance(value, str) else value


Words = Annotated[str, BeforeValidator(lambda value: "" if value is None else _lines(value))]


class Part(BaseModel):
    """A part of a draft: read leniently, so an older draft stays readable."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True, hide_input_in_errors=True)


class Point(Part):
    """A point the user raised with its answer (M3.8); for a rejected one what was verified and why it fails (M3.9)."""

    point: Words = ""
    answer: Words = ""
    finding: Words = ""
    facts_verified: Words = ""
    source: Words = ""
    rule: Words = ""
    why: Words = ""


class Remedy(Part):
    """What the user gets; `by` is an ISO date, which the letter writes in words, or free text."""

    what: Words = ""
    amount: Words = ""
    by: Words = ""


class Item(Part):
    """Something that is missing, and why it is needed."""

    item: Words = ""
    why: Words = ""


class Content(Part):
    """All that a draft may hold; which parts are filled depends on the letter."""

    text: Words = ""
    points: tuple[Point, ...] = ()
    actions: tuple[Words, ...] = ()
    reasons: Words = ""
    remedy: Annotated[Remedy, BeforeValidator(_remedy)] = Remedy()
    where_else: Words = ""
    items: tuple[Item, ...] = ()
    link: Words = ""
    link_ends: Words = ""

    @classmethod
    def of(cls, draft: dict[str, Any] | None) -> "Content":
        """Read a draft; None counts as not written. Raises pydantic's ValidationError where the shape is another."""
        return cls.model_validate({k: v for k, v in (draft or {}).items() if v is not None})
