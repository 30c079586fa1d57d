"""The mark on a payload that was really decrypted, and how to read it.

The codec puts the mark on what was sealed with one of our keys for this very workflow, and strips it from everything
else, so it cannot be forged from outside. Workflow code trusts the actor named in a command only where the mark stands;
whatever arrives plain acts as `TEMPORAL_OPERATOR`.
"""

from collections.abc import Mapping
from typing import Protocol

MARK = "plazo-sealed"
"""The metadata key of the mark; its value is `b"1"`."""


class Marked(Protocol):
    """Anything with a payload's metadata."""

    @property
    def metadata(self) -> Mapping[str, bytes]:
        """Names and raw values."""


def is_sealed(payload: Marked) -> bool:
    """Tell whether the payload was sealed by this application for the workflow that reads it."""
    return payload.metadata.get(MARK) == b"1"
