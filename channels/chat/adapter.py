"""The channel `chat` as the house sends by it. Visitors come in by `/chat/v1`, so it has no webhook.

A letter goes into the session's book while the visitor is there to read it. Once they have left, the address they gave
is the better one: the refusal lets the case move there, which M4.2 has it announce.
"""

from collections.abc import Callable
from datetime import datetime

from channels.letter import Accepted, OutboundLetter
from channels.port import Adapter, Arrivals, Parts, Post, Surroundings, Transcript
from models.errors import (
    OperatorError,
    RecipientError,
    RecordsUnavailable,
    TransientError,
    UnreadableMessage,
    VerificationError,
)
from models.inquiry import CHAT


def build(surroundings: Surroundings) -> "Chat":
    """Set the channel up over the house's book."""
    return Chat(surroundings.transcript, surroundings.clock)


class Chat(Adapter):
    """Writes letters into the book of the web chat; `transcript` is None where nothing is to be sent."""

    name = CHAT

    def __init__(self, transcript: Transcript | None, clock: Callable[[], datetime]) -> None:
        self._transcript, self._clock = transcript, clock

    def verify(self, post: Post, now: datetime) -> None:  # noqa: ARG002 - nobody posts here
        """Refuse: nobody has anything to post at a webhook of the chat."""
        raise VerificationError("the chat has no webhook; visitors post at /chat/v1")

    def parse(self, post: Post, stored_at: datetime) -> Arrivals:  # noqa: ARG002 - nobody posts here
        """Refuse: see `verify`."""
        raise UnreadableMessage("the chat has no webhook; visitors post at /chat/v1")

    def send(self, letter: OutboundLetter, parts: Parts) -> Accepted:  # noqa: ARG002 - a letter is one event
        """Put a letter before the visitor, once for its notice."""
        if self._transcript is None:
            raise OperatorError("the chat was built without its book; hand it a Transcript with the surroundings")
        if letter.public:
            raise OperatorError("the chat has no public place; address the letter to a session")
        now = self._clock()
        try:
            if not self._transcript.reachable(letter.to, now):
                raise RecipientError("the visitor has left, or their session is over; use another address")
            return Accepted(provider_id=self._transcript.write(letter.to, letter, now), at=now)
        except KeyError:
            raise RecipientError("there is no such chat session; use another address") from None
        except RecordsUnavailable:
            # Written or not: the next try finds the letter by its notice.
            raise TransientError("the book of the chat does not answer; it is tried again") from None
