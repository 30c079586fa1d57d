"""The operator's mailbox as its letters show it: From, and where an answer goes."""

from dataclasses import dataclass

from channels.letter import OutboundLetter
from channels.tokens import reply_address


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The public `address` and `name` letters come from; answers go to `reply_domain`, where mail is read."""

    address: str
    name: str
    reply_domain: str

    @property
    def replies(self) -> str:
        """The address of answers, without a token."""
        return f"{self.address.partition('@')[0]}@{self.reply_domain}"

    def reply_to(self, letter: OutboundLetter) -> str:
        """Return the address that leads an answer to a letter's inquiry; empty for a letter without a token."""
        return reply_address(self.replies, letter.reply_token) if letter.reply_token else ""
