"""A load over all channels: conversations whose messages are sent in order, each again until it got its 2xx."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus

import httpx2

from tests.faults.senders import AGAIN
from tests.faults.town import Town
from tests.faults.voices import VOICES, Filler, Voice

TWICE = 0.1
"""How often a message that was taken is sent once more, by those who send it themselves."""

LATER = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


@dataclass
class Conversation:
    """What one person says, and when: seconds from the beginning, in order."""

    by: str
    """The channel they write by."""
    voice: Voice
    times: list[float]
    twice: list[bool]
    done: bool = False

    @property
    def texts(self) -> list[str]:
        """Their messages, in order; no two people say the same."""
        return [f"Mi retiro {self.voice.n} no ha llegado, mensaje {k}." for k in range(len(self.times))]


@dataclass
class Talk:
    """All conversations. `wrong` is what contradicts the promise meanwhile."""

    all: list[Conversation]
    posts: Counter[str] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)
    """Posts that got no 2xx, by channel."""
    sent: int = 0
    """Messages that their senders are done with."""
    wrong: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Have everybody speak until everybody got their 2xx."""
        begun = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            for one in self.all:
                group.create_task(self._live(one, begun))

    async def _live(self, one: Conversation, begun: float) -> None:
        clock, voice = asyncio.get_running_loop().time, one.voice
        await asyncio.sleep(max(0.0, begun + one.times[0] - clock()))
        await self._until_2xx(one, voice.arrive)
        for k, text in enumerate(one.texts):
            await asyncio.sleep(max(0.0, begun + one.times[k] - clock()))
            post = partial(voice.say, k, text)
            answer = await self._until_2xx(one, post)
            if one.twice[k]:
                await self._until_2xx(one, post)
            if isinstance(voice, Filler) and k == 0:
                voice.reference = answer.json()["reference"]
            self.sent += 1
        one.done = True

    async def _until_2xx(self, one: Conversation, post: Callable[[], Awaitable[httpx2.Response]]) -> httpx2.Response:
        while True:
            self.posts[one.by] += 1
            try:
                answer = await post()
            except httpx2.TransportError:
                answer = None
            if answer is not None and answer.is_success:
                return answer
            if answer is not None and answer.status_code not in LATER:
                self.wrong.append(f"{one.by} {one.voice.n} was answered {answer.status_code}: {answer.text[:200]}")
            self.unanswered[one.by] += 1
            await asyncio.sleep(AGAIN)


def arrange(town: Town, chance: random.Random, *, conversations: int, messages: int, span: float) -> Talk:
    """So many conversations with so many messages in all, spread at random over channels and `span` seconds."""
    sizes = [1] * conversations
    for _ in range(messages - conversations):
        sizes[chance.randrange(conversations)] += 1
    ways = [name for _ in range(conversations) for name in VOICES][:conversations]
    chance.shuffle(ways)
    made = []
    for n, (way, size) in enumerate(zip(ways, sizes, strict=True), 1):
        times = sorted(chance.uniform(0, span) for _ in range(size))
        # Telegram and X have our word for what they brought; people do not send there what is sent already.
        repeats = way not in {"telegram", "x"}
        twice = [repeats and chance.random() < TWICE for _ in range(size)]
        made.append(Conversation(way, VOICES[way](town, n), times, twice))
    return Talk(made)
