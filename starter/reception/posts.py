"""Posts at the door, of channels' providers and of the web form: read at once while few come, else kept and answered.

A post that is kept is as safe as one that was read: it is found genuine first, and in the records before its 2xx. Those
that come together are kept in one transaction. While anything of a channel waits, whatever follows there waits behind
it, so a conversation stays in its order.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from channels.port import Post
from models.errors import VerificationError
from models.tables import StoredPost
from records import posts
from starter.reception.intake import Brought
from starter.reception.pile import Pile
from starter.reception.reading import Entrance, read

READ_AT_ONCE = 4
"""Posts that are read before their answer; those that come beside them are kept: the records have one writer."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A post at the door; the answer ends when it is kept, or turned down. `doubtful`: nobody has verified it yet."""

    adapter: Entrance
    post: Post
    at: datetime
    doubtful: bool
    answer: "asyncio.Future[None]"


class Posts:
    """Takes posts in, on one event loop. `clock` gives aware UTC."""

    def __init__(self, pile: Pile, clock: Callable[[], datetime]) -> None:
        self._pile, self._clock = pile, clock
        self._reading = 0
        self._callers: list[Caller] = []
        self._keeping: asyncio.Task[None] | None = None

    async def take(self, adapter: Entrance, post: Post) -> Brought | None:
        """Store what a post brings; None where it is kept and read later.

        Raises VerificationError, RecordsUnavailable, Malformed as `read` does, and Problem (503) when too many wait.
        """
        at = self._clock()
        with self._pile.threads.answering():
            at_once = self._reading < READ_AT_ONCE and adapter.name not in self._pile.behind
            if at_once and (brought := await self._read(adapter, post, at)):
                self._pile.greet(adapter, brought)
                return brought
            answer = asyncio.get_running_loop().create_future()
            self._callers.append(Caller(adapter, post, at, not at_once, answer))
            if self._keeping is None:
                self._keeping = asyncio.create_task(self._keep())
            await answer
        return None

    async def _read(self, adapter: Entrance, post: Post, at: datetime) -> Brought | None:
        def work() -> Brought | None:
            adapter.verify(post, at)
            return None if self._pile.waits(adapter.name) else read(self._pile.intake, adapter, post, at)

        self._reading += 1
        try:
            return await self._pile.threads.behind(work)
        finally:
            self._reading -= 1

    async def _keep(self) -> None:
        """Keep what stands at the door, all of it in one transaction, and again until nobody stands there."""
        while self._callers:
            callers, self._callers = self._callers, []
            faults: list[Exception | None]
            try:
                faults = await self._pile.threads.behind(partial(self._store, callers))
            except Exception as error:  # noqa: BLE001 - each of them is told
                faults = [error] * len(callers)
            for caller, fault in zip(callers, faults, strict=True):
                if caller.answer.done():  # nobody waits for it any more
                    continue
                if fault is None:
                    caller.answer.set_result(None)
                else:
                    caller.answer.set_exception(fault)
        self._keeping = None

    def _store(self, callers: list[Caller]) -> list[Exception | None]:
        """Keep those posts that are genuine; return what is wrong with the others."""
        faults = [_fault(one) for one in callers]
        self._pile.add([_row(one) for one, fault in zip(callers, faults, strict=True) if fault is None])
        return faults


def _fault(caller: Caller) -> Exception | None:
    try:
        if caller.doubtful:
            caller.adapter.verify(caller.post, caller.at)
    except VerificationError as error:
        return error
    return None


def _row(caller: Caller) -> StoredPost:
    post = caller.post
    return StoredPost(
        channel=caller.adapter.name,
        door=post.door,
        content_type=post.headers.get(posts.CONTENT_TYPE, ""),
        body=post.body,
        whole=post.whole,
        stored_at=caller.at,
    )
