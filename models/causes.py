"""The cause of a matter, as a final answer names it: a code of the policy's taxonomy, `theme.cause` (M3.11)."""

from typing import Annotated

from pydantic import StringConstraints

from models.inquiry import Wire

CodeWord = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,31}$")]
"""One level of the taxonomy by its code; a kind of remedy too."""

CauseCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,31}\.[a-z][a-z0-9_]{1,31}$")]
"""A theme and a cause of it."""


class NamedCause(Wire):
    """A cause, and the version of the taxonomy that it was taken from."""

    code: CauseCode
    taxonomy: str
