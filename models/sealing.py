"""The mark on a payload that was really decrypted, and how to read it.

The codec puts the mark on what was sealed with one of our keys for this very workflow, and strips it from everything
else, so it cannot be forged from outside. Workflow code trusts the actor named in a command only where the mark stands;
whatever arrives plain acts as `TEMPORAL_OPERATOR`.
"""

from collections.abc import Mapping
from typing import Protocol

from models.errors import Refused

MARK = "plazo-sealed"
"""The metadata key of the mark; its value is `b"1"`."""

PLAIN = frozenset(
    {
        "extend",
        "escalate",
        "re_estimate",
        "institution_answered",
        "appeal",
        "note",
        "refer",
        "change_channel",
        "follow_up",
        "follow_up_done",
        "mark_urgent",
    }
)
"""What may be ordered by nobody in particular. Whatever hangs on who somebody is wants one of our own services."""


class Marked(Protocol):
    """Anything with a payload's metadata."""

    @property
    def metadata(self) -> Mapping[str, bytes]:
        """Names and raw values."""


def is_sealed(payload: Marked) -> bool:
    """Tell whether the payload was sealed by this application for the workflow that reads it."""
    return payload.metadata.get(MARK) == b"1"


def admit(name: str) -> None:
    """Refuse an update that came plain, as the stock command line sends it, unless anybody may order that (M5.3)."""
    if name not in PLAIN:
        raise Refused("command.plain", f"{name} is for somebody known: use the API with a key of your own", rule="M5.3")
