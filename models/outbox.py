"""The letters of a case: which are owed, and which of them leaves next."""

from collections.abc import Collection
from datetime import datetime

from models.case_data import CaseData
from models.inquiry import Address
from models.letters import URGENT, Letter, LetterState


class Outbox(CaseData):
    """One inquiry with its letters. All times are aware UTC."""

    def letter(self, key: str) -> Letter | None:
        """The letter with that key."""
        return next((one for one in self.letters if one.key == key), None)

    def waiting(self) -> list[Letter]:
        """The letters that are owed and have not left, oldest first."""
        return [one for one in self.letters if one.state is LetterState.OWED]

    def ready(self, now: datetime) -> list[Letter]:
        """Those that can leave at `now`: what is urgent first, then the oldest."""
        ready = [one for one in self.waiting() if one.address and (one.not_before is None or one.not_before <= now)]
        return sorted(ready, key=lambda one: URGENT.get(one.kind, len(URGENT)))

    def outbox(self, now: datetime, *, busy: Collection[Address | None] = ()) -> Letter | None:
        """The next letter to leave at `now`; none to a `busy` address, where another is on its way already."""
        return next((one for one in self.ready(now) if one.address not in busy), None)

    def its_turn(self, letter: Letter, now: datetime) -> bool:
        """Whether that letter is still the next to leave for its address."""
        return next((one.key for one in self.ready(now) if one.address == letter.address), None) == letter.key

    @property
    def undelivered(self) -> bool:
        """True while a letter is owed and no address works (reading 10)."""
        return any(one.address is None for one in self.waiting())
