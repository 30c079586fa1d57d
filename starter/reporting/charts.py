"""Charts as inline SVG: no script, no style, read by a screen reader by their title; the table beside says the same."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from starter.reporting.shapes import Group, Report
from starter.reporting.tables import Scribe

WIDTH, BAR, GAP, LABEL, NUMBER = 640, 18, 8, 150, 90
"""Lengths in the units of the drawing."""

KEPT, MISSED, PLAIN = "#1b6e3c", "#b3261e", "#2f5d8a"

_SVG = Markup('<svg viewBox="0 0 {width} {height}" role="img" aria-label="{title}"><title>{title}</title>{bars}</svg>')
_TEXT = Markup('<text x="{x}" y="{y}" font-size="13" fill="currentColor" text-anchor="{anchor}">{text}</text>')
_BAR = Markup('<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}"/>')

Bar = tuple[str, tuple[tuple[int, str], ...], str]
"""A bar: its label, its parts with their colours, and what stands behind it."""


class Chart(NamedTuple):
    """A drawing and what it shows."""

    title: str
    drawing: Markup


def terms_chart(report: Report, scribe: Scribe, kind: str) -> Chart:
    """Kept and missed terms of one promise, by month."""
    promise = next(one for one in report.promises if one.kind == kind)
    title = f"{scribe.words['chart']}: {scribe.name(kind)}"
    return _chart(title, [_terms_bar(group) for group in promise.groups["month"]])


def ages_chart(report: Report, scribe: Scribe) -> Chart:
    """How long open inquiries had waited, by bands of business days."""
    bars = [(band, ((count, PLAIN),), str(count)) for band, count in report.backlog.ages.items()]
    return _chart(scribe.words["tables"]["ages"], bars)


def _terms_bar(group: Group) -> Bar:
    tally = group.tally
    said = f"{tally.kept} / {tally.kept + tally.missed}"
    return group.name, ((tally.kept, KEPT), (tally.missed, MISSED)), said


def _chart(title: str, bars: Sequence[Bar]) -> Chart:
    longest = max((sum(count for count, _ in parts) for _, parts, _ in bars), default=0)
    scale = (WIDTH - LABEL - NUMBER) / max(longest, 1)
    drawn: list[Markup] = []
    for n, (label, parts, said) in enumerate(bars):
        y, x = n * (BAR + GAP), float(LABEL)
        drawn.append(_TEXT.format(x=LABEL - 8, y=y + BAR - 4, anchor="end", text=label))
        for count, fill in parts:
            width = round(count * scale, 1)
            drawn.append(_BAR.format(x=round(x, 1), y=y, width=width, height=BAR, fill=fill))
            x += width
        drawn.append(_TEXT.format(x=round(x + 8, 1), y=y + BAR - 4, anchor="start", text=said))
    height = max(len(bars), 1) * (BAR + GAP)
    return Chart(title, _SVG.format(width=WIDTH, height=height, title=title, bars=Markup("").join(drawn)))
