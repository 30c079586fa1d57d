"""Visits: where each one of a person on a channel has an address of its own, the latest alone is where they are (M4.2).

Of two visits the one where the person was known to be last counts, whichever the case is told of first; told again, or
told of an earlier one, it stays as it is. The addresses of a case do not grow by visits.
"""

from models.arrivals import Visit
from models.case import Case
from models.inquiry import Address


def come(case: Case, visit: Visit) -> None:
    """The person is there now: it takes the place of their former visit, also for letters that are held back.

    What is under way to the former one still arrives there, or fails and follows.
    """
    address, channel = visit.address, visit.address.channel
    former = [one for one in case.addresses if one.channel == channel]
    known = case.visits.get(channel)
    if known is not None and any((known, one.id) >= (visit.at, address.id) for one in former):
        return
    case.visits = {**case.visits, channel: visit.at}
    case.addresses = _in_their_place(case.addresses, address)
    over = {one.id for one in former}
    case.dead = tuple(one for one in case.dead if one not in over)
    case.ways_in = tuple(dict.fromkeys(address.id if one in over else one for one in case.ways_in))
    for letter in case.waiting():
        if letter.not_before and letter.address and letter.address.id in over:
            case.post(letter, address=address)


def _in_their_place(addresses: tuple[Address, ...], visit: Address) -> tuple[Address, ...]:
    """The addresses with the visit where the first of its channel stood, and no other of that channel."""
    first = next((n for n, one in enumerate(addresses) if one.channel == visit.channel), len(addresses))
    return (*addresses[:first], visit, *(one for one in addresses[first:] if one.channel != visit.channel))
