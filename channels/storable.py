"""What came from outside, in texts that any database can keep."""

import re

from pydantic import BaseModel, ConfigDict, field_validator

_UNFIT = re.compile(r"[\x00\ud800-\udfff]")


class Storable(BaseModel):
    """Something that came from outside. Its texts lose NUL, which PostgreSQL refuses, and halves of characters."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    @field_validator("*", mode="before")
    @classmethod
    def _keep_what_can_be_kept(cls, value: object) -> object:
        return _fit(value)


def _fit(value: object) -> object:
    if isinstance(value, str):
        return _UNFIT.sub("", value) if _UNFIT.search(value) else value
    if isinstance(value, tuple):
        return tuple(_fit(one) for one in value)
    return value
