"""One thing that was looked at: in order, or what is wrong and how to mend it."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from models.errors import PlazoError


class Finding(NamedTuple):
    """What was looked at, what was seen and, where something is wrong, what to do. Nothing secret or personal."""

    what: str
    seen: str
    mend: str = ""

    @property
    def ok(self) -> bool:
        """Whether it is in order."""
        return not self.mend


Check = Callable[[], Iterable[Finding]]


def look(what: str, check: Check, mend: str) -> Iterator[Finding]:
    """Do one check; an error of ours is a finding, and one of others is told by its type alone."""
    try:
        yield from check()
    except PlazoError as error:
        yield Finding(what, str(error).replace("\n", "; "), mend)
    except Exception as error:  # noqa: BLE001  whatever a check meets, the next one is still done
        yield Finding(what, type(error).__name__, mend)
