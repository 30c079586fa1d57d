"""The ways in of an inquiry: where the person wrote of the same matter, and where the end of it is told (M4.1, M3.1).

A case has one way in, its own, until another is merged into it; from then on the final answer leaves for both.
"""

from models.case import Case
from models.inquiry import Address
from models.letters import Letter


def ways_in(case: Case) -> tuple[Address, ...]:
    """The addresses that work of all its ways in, its own first; the person's own, whoever stands in their place."""
    own = case.address(case.channel_now)
    further = (one for one in case.addresses if one.id in case.ways_in and one.id not in case.dead)
    return tuple(dict.fromkeys(one for one in (own, *further) if one))


def tell_all_ways(case: Case, letter: Letter) -> None:
    """Owe a copy of a letter on every other way in that it does not reach yet."""
    reached = {one.address.id for one in case.letters if one.address and letter.key in {one.key, one.copy_of}}
    further = (one for one in ways_in(case) if one.id in case.ways_in and one.id not in reached)
    for n, address in enumerate(further, 1):
        case.copy_letter(letter, f"{letter.key}/way-{n}/copy", address)
