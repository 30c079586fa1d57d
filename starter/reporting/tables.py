"""A report as tables in one language: what the page, the text, the CSV and the spreadsheet all show."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from models.inquiry import Language
from models.policy import Policy
from starter.reporting.report import BY, TERMS
from starter.reporting.shapes import Promise, Report, Spread, Tally
from starter.reporting.words import WORDS

Cell = str | int | float | None
Row = tuple[Cell, ...]

FATES = ("late", "unmet", "lapsed", "moved", "released", "exhausted", "running")
SPREAD = ("count", "p50", "p90", "p99", "most")


class Table(NamedTuple):
    """One table: `key` is its name for programs, `note` says what it counts, `labels` how many columns name a row."""

    key: str
    title: str
    note: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    labels: int = 1


class Scribe:
    """Writes one report's tables in one language, `es` or `en`. Codes without a name there stay as they are."""

    def __init__(self, report: Report, language: str, policy: Policy) -> None:
        """Take the labels of channels and areas from the policy."""
        self.report, self.words = report, WORDS[language]
        spoken = Language(language)
        self._channels = {name: one.label.text(spoken) for name, one in policy.channels.named.items()}
        self._remedies = {name: one.text(spoken) for name, one in policy.remedies.kinds.items()}
        self._themes = {name: one.label.text(spoken) for name, one in policy.taxonomy.themes.items()}
        self._causes = {code: one.text(spoken) for code, one in policy.taxonomy.causes.items()}
        self._criteria = {name: one.text(spoken) for name, one in policy.quality.criteria.items()}
        self._areas = {name: one.label.text(spoken) for name, one in policy.areas.items()}

    def tables(self, *, whole: bool) -> list[Table]:
        """All tables; groups of every obligation where `whole`, else of the two terms alone."""
        return [
            self._terms(),
            *(self._groups(by, whole=whole) for by in BY),
            self._reasons(),
            self._days(),
            self._backlog(),
            self._table("ages", ("band", "count"), self.report.backlog.ages.items()),
            self._waiting(),
            self._table("answers", ("outcome", "count"), self._named(self.report.answers)),
            self._causes_table(),
            self._remedies_table(),
            self._lines("extensions", self._extensions()),
            self._lines("escalations", self._escalations()),
            self._lines("reviews", self._reviews()),
            self._letters(),
            self._lines("channels", self._channel_changes()),
            self._quality(),
            self._lines("grounds", self._grounds()),
        ]

    def name(self, code: str, by: str = "") -> str:
        """A code in words."""
        if by == "channel" and code in self._channels:
            return self._channels[code]
        if by == "area" and code in self._areas:
            return self._areas[code]
        return code if by == "area" else str(self.words["names"].get(code, code))

    def _table(self, key: str, heads: Iterable[str], rows: Iterable[Row], *, labels: int = 1) -> Table:
        said = tuple(self.words["heads"][head] for head in heads)
        return Table(key, self.words["tables"][key], self.words["notes"]["tables"][key], said, tuple(rows), labels)

    def _lines(self, key: str, lines: Iterable[tuple[str, Cell]]) -> Table:
        return self._table(key, ("what", "count"), lines)

    def _line(self, name: str, value: Cell, more: str = "") -> tuple[str, Cell]:
        return f"{self.words['lines'][name]} {more}".strip(), value

    def _named(self, counts: dict[str, int], by: str = "") -> Iterator[Row]:
        return ((self.name(code, by), count) for code, count in counts.items())

    def _terms(self) -> Table:
        heads = ("promise", "rule", "due", "kept", "missed", "percent", *FATES)
        rows = (
            (self.name(one.kind), one.rule, *_short(one.tally), *(getattr(one.tally, fate) for fate in FATES))
            for one in self.report.promises
        )
        return self._table("terms", heads, rows, labels=2)

    def _groups(self, by: str, *, whole: bool) -> Table:
        rows = (
            (self.name(one.kind), self.name(group.name, by), *_short(group.tally))
            for one in self._promises(whole=whole)
            for group in one.groups[by]
        )
        return self._table(by, ("promise", by, "due", "kept", "missed", "percent"), rows, labels=2)

    def _promises(self, *, whole: bool) -> Iterator[Promise]:
        return (one for one in self.report.promises if whole or one.kind in TERMS)

    def _reasons(self) -> Table:
        rows = (
            (self.name(one.kind), self.name(reason), count)
            for one in self.report.promises
            for reason, count in one.reasons.items()
        )
        return self._table("reasons", ("promise", "reason", "count"), rows, labels=2)

    def _days(self) -> Table:
        spreads = zip(TERMS, (self.report.acknowledged, self.report.answered), strict=True)
        rows = ((self.name(kind), *_spread(spread)) for kind, spread in spreads)
        return self._table("days", ("what", "measured", *SPREAD[1:]), rows)

    def _backlog(self) -> Table:
        one = self.report.backlog
        names = ("before", "received", "reopened", "answered", "withdrawn", "merged", "exhausted", "other", "after")
        return self._lines("backlog", (self._line(name, getattr(one, name)) for name in (*names, "overdue")))

    def _waiting(self) -> Table:
        rows = (
            (self.words["heads"][by], self.name(code, by), count)
            for by, names in self.report.backlog.groups.items()
            for code, count in names.items()
        )
        return self._table("waiting", ("group", "what", "count"), rows, labels=2)

    def _causes_table(self) -> Table:
        heads = ("theme", "cause", "answers", "founded", "unfounded", "neither", "founded_percent", "p50", "p90")
        rows = (
            (
                *self._cause(one.cause),
                *(one.answers, one.founded, one.unfounded, one.neither, one.percent),
                *(one.days.p50, one.days.p90),
            )
            for one in self.report.causes
        )
        return self._table("causes", heads, rows, labels=2)

    def _remedies_table(self) -> Table:
        rows = (
            (
                *self._cause(one.cause),
                self._remedies.get(one.kind, one.kind) or self.words["lines"]["no_kind"],
                one.currency,
                one.count,
                one.amount or None,
            )
            for one in self.report.remedies
        )
        return self._table("remedies", ("theme", "cause", "remedy", "currency", "count", "amount"), rows, labels=4)

    def _cause(self, code: str) -> tuple[str, str]:
        """A theme and a cause in words; one that the policy does not know any more by its codes."""
        if not code:
            return self.words["lines"]["no_cause"], ""
        theme = code.partition(".")[0]
        return self._themes.get(theme, theme), self._causes.get(code, code)

    def _extensions(self) -> Iterator[tuple[str, Cell]]:
        one = self.report.extensions
        for name in ("announced", "effective", "for_complexity", "with_institution", "void", "told_late"):
            yield self._line(name, getattr(one, name))
        yield from self._spread_lines(one.days)
        yield self._line("total_days", one.total_days)

    def _escalations(self) -> Iterator[tuple[str, Cell]]:
        one = self.report.escalations
        yield self._line("begun", one.begun)
        yield from one.institutions.items()
        yield self._line("unnamed", one.unnamed)
        yield self._line("estimates_moved", one.estimates_moved)
        yield self._line("still_open", one.open)
        yield self._line("ended", one.days.count)
        yield from self._spread_lines(one.days)

    def _spread_lines(self, days: Spread) -> Iterator[tuple[str, Cell]]:
        for name in ("p50", "p90", "most"):
            yield self._line(f"days_{name}", getattr(days, name))

    def _reviews(self) -> Iterator[tuple[str, Cell]]:
        one = self.report.reviews
        for who in ("user", "authority"):
            yield self._line(f"noted_{who}", one.noted.get(who, 0))
        for result in ("upheld", "overturned", "settled"):
            yield self._line(f"decided_{result}", one.decided.get(result, 0))
        yield self._line("reviews_open", one.open)

    def _letters(self) -> Table:
        heads = ("channel", "accepted", "delivered", "returned", "refused")
        rows = (
            (self.name(one.channel, "channel"), one.accepted, one.delivered, one.returned, one.refused)
            for one in self.report.letters
        )
        return self._table("letters", heads, rows)

    def _channel_changes(self) -> Iterator[tuple[str, Cell]]:
        one = self.report.channels
        yield self._line("changes", one.all)
        for channel, count in one.decided.items():
            yield self._line("decided_by_person", count, self.name(channel, "channel"))
        yield self._line("after_failure", one.after_failure)

    def _quality(self) -> Table:
        rows = (
            (
                *(one.month, self.name(one.area, "area"), self._criteria.get(one.criterion, one.criterion)),
                *(one.judged, one.good, one.percent),
            )
            for one in self.report.quality
        )
        return self._table("quality", ("month", "area", "criterion", "judged", "good", "good_percent"), rows, labels=3)

    def _grounds(self) -> Iterator[tuple[str, Cell]]:
        one = self.report.grounds
        yield self._line("policy_now", self.report.policy)
        for language, version in self.report.manual.items():
            yield self._line(f"manual_{language}", version)
        for what, versions in (("policy", one.policies), ("calendar", one.calendars)):
            for version, count in versions.items():
                yield self._line(what, count, version)
        for what in ("inquiries", "events", "fingerprint"):
            yield self._line(what, getattr(one, what))


def _short(tally: Tally) -> Row:
    return tally.due, tally.kept, tally.missed, tally.percent


def _spread(spread: Spread) -> tuple[Any, ...]:
    return tuple(getattr(spread, name) for name in SPREAD)
