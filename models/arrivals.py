"""The wire: what the world reports of a case, told by our own services as signals. Nobody decides these.

Like every order they come from outside: an unknown field is an error, and they only ever gain fields.
"""

from typing import Annotated

from pydantic import AwareDatetime, Field

from models.area_work import IncidentState
from models.inquiry import Address, Channel, Wire
from models.messages import Id, Number, Order, Reasons, Told
from models.terms import Matter


class Visit(Wire):
    """An address that lasts as long as one visit, such as a chat's session, and when the person was known to be there.

    `at` is aware UTC.
    """

    address: Address
    at: AwareDatetime


class ReceiveMessage(Order):
    """A message of the user is stored; here is its id and its true reception.

    `edits` is the message whose new wording it is; `unreadable`: it cannot be read here, and its sender must be told;
    `reopens`: policy wants a closed case to go on with it. `channel` is where it came from; `urgent` what it speaks of
    that cannot wait; `place` where a colleague registered it for the user.
    """

    message: Id
    at: AwareDatetime
    addresses: Annotated[tuple[Address, ...], Field(max_length=10)] = ()
    edits: Id | None = None
    unreadable: bool = False
    reopens: bool = False
    channel: Channel | None = None
    urgent: Matter | None = None
    place: Channel | None = None


class AddressClosed(Order):
    """The person shut a channel to us: blocked the bot, closed direct messages."""

    address: Id
    reason: Told = ""


class AddressOpen(Order):
    """The person opened it again."""

    address: Id


class IdentityBound(Order):
    """The person showed who they are, or that further addresses are theirs; of their visits the latest alone."""

    contact: Id
    addresses: Annotated[tuple[Address, ...], Field(max_length=20)]
    bound: bool
    visit: Visit | None = None


class NoticeDelivered(Order):
    """The provider says letters reached their mailboxes."""

    notices: tuple[Id, ...] = Field(min_length=1, max_length=500)
    at: AwareDatetime


class NoticeBounced(Order):
    """The provider says a letter came back."""

    notice: Id
    at: AwareDatetime
    hard: bool = True
    reason: Told = ""


class IncidentChanged(Order):
    """The tracker says where an incident stands since `at`, and the specialists' own words where it has any (M5.6).

    `outcome` is the tracker's name for how it ended, told only where that is news.
    """

    incident: Number
    state: IncidentState
    at: AwareDatetime
    outcome: Reasons | None = None
    words: Reasons | None = None
