"""What somebody sees as SQL is what the rule says, and the list stays quick."""

import random
import time
from datetime import timedelta

from models.area_work import Referral
from models.inquiry import Area
from models.reference import new_reference
from models.sight import Eyes
from records import case_list, cases, visibility
from records.database import Database
from tests.cases import MONDAY, new_case
from tests.records.mail import NOW

EYES = (
    Eyes("ana"),
    Eyes("Ana"),
    Eyes("an"),
    Eyes("an_"),
    Eyes("officer", secrets=True),
    Eyes("luis", frozenset({"legal", "compliance"})),
    Eyes("lead", frozenset({"legal", "compliance"}), speaks=frozenset({"finance", "operations"})),
)


def fill(database: Database, count: int, people: tuple[tuple[str, ...] | None, ...]) -> list[str]:
    chooser = random.Random(5)
    areas: tuple[Area, ...] = ("cx", "cx", "cx", "legal", "compliance", "operations")
    made = []
    with database.write() as session:
        for n in range(count):
            case = new_case(MONDAY + timedelta(days=n % 40), reference=new_reference("RX", chooser))
            case.area, case.compartment = chooser.choice(areas), chooser.choice(people)
            if chooser.random() < 0.3:
                case.referrals = [Referral(area=chooser.choice(("finance", "security")), opened_at=MONDAY)]
            case.about = chooser.choice(((), (), (), ("ana",), ("luis", "officer")))
            cases.add(session, case, subject=f"Caso {n}", excerpt="", status_token=str(n))
            made.append(case.reference)
    return made


def test_list_single_case_and_rule_agree(database: Database) -> None:
    made = fill(database, 120, (None, (), ("ana",), ("luis", "ana")))
    with database.read() as session:
        for eyes in EYES:
            listed = {line.reference for line in case_list.page(session, eyes=eyes, limit=200).items}
            hidden = {reference for reference in made if visibility.hidden(session, reference, eyes)}
            assert listed == set(made) - hidden
            assert visibility.unseen(session, eyes) == hidden
            assert listed
            assert hidden
        assert visibility.hidden(session, "RX-0000-0000", EYES[0]) == ""


def test_a_grant_ends(database: Database) -> None:
    with database.write() as session:
        visibility.grant(session, "RX-1", "ana", NOW, NOW + timedelta(minutes=5))
        assert visibility.granted(session, "RX-1", "ana", NOW)
        assert not visibility.granted(session, "RX-1", "luis", NOW)
        assert not visibility.granted(session, "RX-2", "ana", NOW)
        assert not visibility.granted(session, "RX-1", "ana", NOW + timedelta(minutes=5))
        assert [one.actor for one in visibility.open_grants(session, NOW)] == ["ana"]


def test_the_first_page_of_many_is_quick_for_everybody(database: Database) -> None:
    fill(database, 1_500, (None, None, None, ()))
    for eyes in EYES:
        with database.read() as session:
            case_list.page(session, eyes=eyes)
            began = time.perf_counter()
            case_list.page(session, eyes=eyes)
            assert time.perf_counter() - began < 1
