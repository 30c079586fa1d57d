"""The built-in tracker: the house's own table of incidents is its board, so being written there is being opened."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from models.area_work import IncidentState
from models.errors import VerificationError
from trackers.port import Change, Draft, Ref, Tracker


class BuiltIn(Tracker):
    """The board that specialists use through the API. It never fails: its rows are written by whoever tells it."""

    name: ClassVar[str] = "builtin"
    outside: ClassVar[bool] = False

    def find(self, key: str) -> Ref | None:
        """Return the row of that name, which stands."""
        return Ref(key)

    def create(self, draft: Draft) -> Ref:
        """Its row stands already, and its name is its id."""
        return Ref(draft.key)

    def close(self, id_: str, key: str, state: IncidentState) -> None:
        """Change nothing: its row is closed by whoever calls this."""

    def count(self, id_: str, key: str, cases: int, now: datetime) -> None:
        """Change nothing: its board counts them itself."""

    def standing(self, id_: str, now: datetime) -> Change | None:  # noqa: ARG002 - as the port has it
        """Know nothing more: what moves on the board is told at once."""
        return None

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:  # noqa: ARG002 - the same
        """Take no posts."""
        raise VerificationError("the built-in tracker has no webhook; its board moves through the API")

    def parse(self, headers: Mapping[str, str], body: bytes, now: datetime) -> tuple[Change, ...]:  # noqa: ARG002
        """Take no posts."""
        return ()
