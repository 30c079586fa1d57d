"""What a channel reports: how far a letter came, and whether a person can be reached at an address at all."""

from enum import StrEnum

from pydantic import AwareDatetime

from channels.storable import Storable
from models.inquiry import Channel


class Delivery(StrEnum):
    """How far a letter came."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCE = "bounce"
    DROPPED = "dropped"


class DeliveryEvent(Storable):
    """One event. `event_id` is the same in every repetition; `reason` carries no address.

    `notice` is the letter's key, empty where the event has none. `hard`: the address will not take letters; a `blocked`
    bounce or a quota of our own account is not hard.
    """

    event_id: str
    notice: str
    message_id: str
    """The letter's Message-ID without angle brackets; may be empty."""
    kind: Delivery
    hard: bool
    at: AwareDatetime
    reason: str = ""


class Reach(Storable):
    """A person shut the channel to us (blocked the bot, closed direct messages) or opened it again.

    `address` is the person's, as in `InboundMessage.sender`; `event_id` is the same in every repetition.
    """

    event_id: str
    channel: Channel
    address: str
    open: bool
    at: AwareDatetime
    reason: str
