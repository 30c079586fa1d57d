"""Making a report: the statistics of a period, in the shapes in which they are told."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlmodel import Session

from models.inquiry import Outcome
from models.obligations import RULES, ObligationKind
from models.policy import Policy
from records.figures import Fate
from records.figures_causes import CauseCount, Kept
from records.figures_terms import TermCount
from records.statistics import Statistics, percentile, statistics
from records.verdicts import Judged
from starter.reporting.notes import NOTES
from starter.reporting.periods import Period
from starter.reporting.shapes import (
    Backlog,
    Caused,
    Criterion,
    Escalated,
    Extended,
    Grounds,
    Group,
    Lettered,
    Moved,
    Promise,
    Remedied,
    Report,
    Reviewed,
    Spread,
    Tally,
)

BANDS = ((0, 5), (6, 10), (11, 20), (21, 30), (31, None))
"""Business days that open inquiries have waited: from, up to and with; the last one has no end."""

BY = ("month", "channel", "area", "inquiry")
TERMS = (ObligationKind.ACKNOWLEDGEMENT.value, ObligationKind.FINAL.value)


def make_report(session: Session, policy: Policy, period: Period, now: datetime) -> Report:
    """Count a period. `now` is aware UTC. Raises Malformed for one that cannot be reported."""
    window = period.window(policy.whole_calendar(), now)
    found = statistics(session, window)
    manual = policy.manual
    return Report(
        period=period.name,
        first=period.first,
        last=period.last,
        zone=policy.calendar_settings.zone,
        made_at=now,
        complete=window.end <= now,
        operator=policy.operator.legal_name,
        policy=policy.full_version,
        manual={"es": f"{manual.es.version}, {manual.es.date}", "en": f"{manual.en.version}, {manual.en.date}"},
        promises=tuple(_promises(found, period)),
        acknowledged=_spread(found.acknowledged),
        answered=_spread(found.answered),
        answers=found.answers,
        causes=tuple(map(_caused, found.causes)),
        remedies=tuple(map(_remedied, found.remedies)),
        quality=tuple(_criterion(one, period) for one in found.judged),
        backlog=_backlog(found),
        extensions=_extensions(found),
        escalations=Escalated(**found.escalations._asdict() | {"days": _spread(found.escalations.days)}),
        reviews=Reviewed(**found.reviews._asdict()),
        letters=tuple(Lettered(**one._asdict()) for one in found.letters),
        channels=Moved(
            all=found.channels.owed,
            decided=found.channels.decided,
            after_failure=found.channels.owed - sum(found.channels.decided.values()),
        ),
        grounds=Grounds(**found.basis._asdict()),
        notes=NOTES["en"]["tables"],
    )


def _promises(found: Statistics, period: Period) -> Iterable[Promise]:
    by_kind: dict[str, list[TermCount]] = {kind: [] for kind in TERMS}
    for one in found.terms:
        by_kind.setdefault(one.kind, []).append(one)
    for kind, counts in by_kind.items():
        yield Promise(
            kind=kind,
            rule=RULES[ObligationKind(kind)],
            tally=_tally(counts),
            groups={by: tuple(_groups(counts, by, period.months)) for by in BY},
            reasons={miss.reason: miss.number for miss in found.misses if miss.kind == kind},
        )


def _groups(counts: Sequence[TermCount], by: str, months: Sequence[str]) -> Iterable[Group]:
    grouped: dict[str, list[TermCount]] = {name: [] for name in months} if by == "month" else {}
    for one in counts:
        name = months[one.month] if by == "month" else getattr(one, by)
        grouped.setdefault(name, []).append(one)
    return (Group(name=name, tally=_tally(grouped[name])) for name in sorted(grouped))


def _tally(counts: Iterable[TermCount]) -> Tally:
    fates: dict[str, int] = defaultdict(int)
    for one in counts:
        fates[one.fate] += one.number
    each = {fate.value: fates[fate] for fate in Fate}
    missed = each["late"] + each["unmet"] + each["lapsed"]
    judged = each["kept"] + missed
    percent = round(100 * each["kept"] / judged, 1) if judged else None
    return Tally(due=sum(each.values()), missed=missed, percent=percent, **each)


def _spread(ascending: Sequence[int]) -> Spread:
    p50, p90, p99, most = (percentile(ascending, percent) for percent in (50, 90, 99, 100))
    return Spread(count=len(ascending), p50=p50, p90=p90, p99=p99, most=most)


def _caused(one: CauseCount) -> Caused:
    founded = sum(one.outcomes.get(outcome, 0) for outcome in (Outcome.UPHELD, Outcome.PARTIAL))
    unfounded, answers = one.outcomes.get(Outcome.UNFOUNDED, 0), sum(one.outcomes.values())
    judged = founded + unfounded
    return Caused(
        cause=one.cause,
        answers=answers,
        founded=founded,
        unfounded=unfounded,
        neither=answers - judged,
        percent=round(100 * founded / judged, 1) if judged else None,
        days=_spread(one.days),
    )


def _remedied(one: Kept) -> Remedied:
    amount = f"{one.amount:f}" if one.currency else ""
    return Remedied(cause=one.cause, kind=one.kind, currency=one.currency, count=one.number, amount=amount)


def _criterion(one: Judged, period: Period) -> Criterion:
    return Criterion(
        month=period.months[one.month],
        area=one.area,
        criterion=one.criterion,
        judged=one.number,
        good=one.good,
        percent=round(100 * one.good / one.number, 1),
    )


def _backlog(found: Statistics) -> Backlog:
    groups: dict[str, dict[str, int]] = {by: {} for by in ("channel", "area", "inquiry")}
    for one in found.waiting:
        for by, names in groups.items():
            name = getattr(one, by)
            names[name] = names.get(name, 0) + one.number
    return Backlog(
        **found.flow._asdict(),
        overdue=sum(one.overdue for one in found.waiting),
        groups={by: dict(sorted(names.items())) for by, names in groups.items()},
        ages={
            f"{low}-{high}" if high is not None else f"{low}+": sum(
                low <= age and (high is None or age <= high) for age in found.ages
            )
            for low, high in BANDS
        },
    )


def _extensions(found: Statistics) -> Extended:
    one = found.extensions
    return Extended(
        announced=one.announced,
        effective=len(one.days),
        for_complexity=len(one.days) - one.external,
        with_institution=one.external,
        void=one.void,
        told_late=one.told_late,
        days=_spread(one.days),
        total_days=sum(one.days),
    )
