"""Letters out: direct messages in as many parts as it takes, and invitations under public posts."""

import re
from collections.abc import Callable
from datetime import datetime

from channels.letter import Accepted, OutboundLetter
from channels.port import Parts
from channels.x.api import Api
from channels.x.fields import number
from channels.x.reading import POST
from channels.x.wording import LONGEST_POST, split, weight
from models.errors import OperatorError, RecipientError, UnknownOutcome

_ID = re.compile(r"[0-9]{1,19}", re.ASCII)


class Sender:
    """Hands letters to X; `clock` gives aware UTC. Safe to use from several threads."""

    def __init__(self, api: Api, clock: Callable[[], datetime]) -> None:
        self._api, self._clock = api, clock

    def send(self, letter: OutboundLetter, parts: Parts) -> Accepted:
        """Send a letter, behind the parts that X has taken already; its id is that of its first part.

        Raises RecipientError, OperatorError, TransientError (the next part surely not accepted) or UnknownOutcome.
        """
        if not _ID.fullmatch(letter.to):
            raise RecipientError("the address is no id of a person or post on X")
        if letter.public:
            self._publish(letter, parts)
        else:
            for part in split(letter.text)[len(parts.taken) :]:
                path = f"/2/dm_conversations/with/{letter.to}/messages"
                parts.take(_taken(number(self._api.write(path, {"text": part}), "dm_event_id")))
        return Accepted(provider_id=parts.taken[0], at=self._clock())

    def _publish(self, letter: OutboundLetter, parts: Parts) -> None:
        if parts.taken:
            return
        takes = weight(letter.text)
        if takes > LONGEST_POST:
            raise OperatorError(f"the public letter takes {takes} of {LONGEST_POST} characters; shorten its template")
        body = {"text": letter.text, "reply": {"in_reply_to_tweet_id": letter.to}}
        parts.take(POST + _taken(number(self._api.write("/2/tweets", body), "id")))


def _taken(provider_id: str) -> str:
    if not provider_id:
        raise UnknownOutcome("X took the message and did not say under which id")
    return provider_id
