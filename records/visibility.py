"""Which cases somebody does not see, as SQL and for one case; the rule itself is `models.sight.hides`."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, not_, or_
from sqlmodel import Session, col, select

from models.case import Case
from models.inquiry import ActorId
from models.sight import Eyes, Kept, areas_asked
from models.tables import CaseRow, GrantRow


def written(people: tuple[ActorId, ...] | None) -> str:
    """How a column holds people: `,` before, between and after them; empty for None.

    In hexadecimal, since some databases look for text without regard to case.
    """
    return "" if people is None else "".join((",", *(f"{_name(one)}," for one in people)))


def people(text: str) -> tuple[ActorId, ...]:
    """Read what `written` wrote; nobody for an empty column."""
    return tuple(bytes.fromhex(one).decode() for one in text.split(",") if one)


def kept(session: Session, reference: str) -> Kept | None:
    """Return what keeps a case from people; None where there is no such case."""
    query = select(CaseRow.area, CaseRow.compartment, CaseRow.about, CaseRow.asked)
    row = session.exec(query.where(col(CaseRow.reference) == reference)).first()
    if row is None:
        return None
    area, compartment, about, asked = row
    areas = tuple(one for one in asked.split(",") if one)
    return Kept(area, people(compartment) if compartment else None, people(about), areas)


def columns(case: Case) -> dict[str, str]:
    """What the projection of a case says of whom it is kept from."""
    areas = areas_asked(case)
    asked = f",{','.join(areas)}," if areas else ""
    return {"compartment": written(case.compartment), "about": written(case.about or None), "asked": asked}


def visible(eyes: Eyes) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that leave the cases that somebody sees."""
    me = f",{_name(eyes.actor)},"
    named = col(CaseRow.compartment).contains(me)
    wanted: list[ColumnElement[bool]] = [not_(col(CaseRow.about).contains(me))]
    if not eyes.secrets:
        wanted.append(or_(col(CaseRow.compartment) == "", named))
    if eyes.closed:
        asked = (col(CaseRow.asked).contains(f",{one},", autoescape=True) for one in sorted(eyes.speaks))
        wanted.append(or_(col(CaseRow.area).not_in(sorted(eyes.closed)), named, *asked))
    return tuple(wanted)


def unseen(session: Session, eyes: Eyes) -> frozenset[str]:
    """Return the references of all cases that somebody does not see."""
    conditions = visible(eyes)
    return frozenset(session.exec(select(CaseRow.reference).where(or_(*(not_(one) for one in conditions)))))


def hidden(session: Session, reference: str, eyes: Eyes) -> str:
    """Return the code of what hides a case from somebody; empty where they see it, or where there is none."""
    known = kept(session, reference)
    return known.hidden(eyes) if known else ""


def secret(session: Session, reference: str) -> bool:
    """Say whether a case lies in a compartment."""
    return bool(session.exec(select(CaseRow.compartment).where(col(CaseRow.reference) == reference)).first())


def grant(session: Session, reference: str, actor: ActorId, now: datetime, until: datetime) -> None:
    """Open one case to one person until then."""
    session.add(GrantRow(reference=reference, actor=actor, at=now, until=until))
    session.flush()


def granted(session: Session, reference: str, actor: ActorId, now: datetime) -> bool:
    """Say whether the glass was broken for somebody, and is open still."""
    query = select(GrantRow.id).where(
        col(GrantRow.reference) == reference, col(GrantRow.actor) == actor, col(GrantRow.until) > now
    )
    return session.exec(query).first() is not None


def open_grants(session: Session, now: datetime) -> Sequence[GrantRow]:
    """Return what broken glass opens still, the newest first."""
    query = select(GrantRow).where(col(GrantRow.until) > now).order_by(col(GrantRow.id).desc())
    return session.exec(query).all()


def _name(actor: ActorId) -> str:
    return actor.encode().hex()
