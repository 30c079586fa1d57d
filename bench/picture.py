"""The growth of costs as a picture: `python -m bench.picture RESULTS.json docs/growth.svg`.

One field for each cost, both axes logarithmic: the middle of all readings as a line, the 99th in a hundred dashed, what
is wanted of it in grey.
"""

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

WIDTH, HEIGHT, ACROSS = 300, 220, 3
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 34, 28
COLOURS = {"PostgreSQL": "#1f5fa8", "SQLite": "#c2571a"}
STYLE = (
    "text{font:11px sans-serif;fill:#222}.title{font-weight:bold}.grid{stroke:#ddd}.wanted{stroke:#888;stroke-width:2}"
    ".line{fill:none;stroke-width:2}.dashed{fill:none;stroke-width:1.5;stroke-dasharray:4 3}"
)


@dataclass(frozen=True)
class Cost:
    """A field: its title, the reading's name, its unit, and what is wanted of its 99th in a hundred."""

    title: str
    name: str
    wanted: float | None = None


COSTS = (
    Cost("a page of the list, ms", "due_list_ms", 50),
    Cost("search, ms", "search_ms", 200),
    Cost("opening an inquiry, ms", "case_ms"),
    Cost("storing a new one, ms", "store_ms"),
    Cost("a scrape of all figures, ms", "scrape_ms"),
    Cost("memory of the web process, MB", "web_mb"),
)


def picture(found: dict[str, dict[str, Any]]) -> str:
    """Draw what `bench.growth` measured: by database and size."""
    rows = math.ceil(len(COSTS) / ACROSS)
    wide, high = ACROSS * WIDTH, rows * HEIGHT + 30
    fields = "".join(
        f'<g transform="translate({n % ACROSS * WIDTH},{n // ACROSS * HEIGHT})">{"".join(_field(cost, found))}</g>'
        for n, cost in enumerate(COSTS)
    )
    legend = "".join(
        f'<text x="{LEFT + 110 * n}" y="{high - 10}" style="fill:{COLOURS[name]}">{escape(name)}</text>'
        for n, name in enumerate(found)
    )
    told = "across: open inquiries; line: the middle, dashed: 99 in a hundred, grey: wanted of these"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" role="img">'
        f"<title>What each question costs, by how many inquiries are open</title><style>{STYLE}</style>"
        f'<rect width="{wide}" height="{high}" fill="#fff"/>{fields}{legend}'
        f'<text x="{LEFT + 110 * len(found)}" y="{high - 10}">{told}</text></svg>\n'
    )


def _field(cost: Cost, found: dict[str, dict[str, Any]]) -> Iterator[str]:
    lines = [(name, *line) for name, sizes in found.items() for line in _lines(cost, sizes)]
    values = [value for *_, points in lines for _, value in points] + ([cost.wanted] if cost.wanted else [])
    sizes = sorted({size for *_, points in lines for size, _ in points})
    low, high = 10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values) * 1.01))

    def x(size: float) -> float:
        return _between(size, sizes[0], sizes[-1], LEFT, WIDTH - RIGHT)

    def y(value: float) -> float:
        return _between(value, low, high, HEIGHT - BOTTOM, TOP)

    yield f'<text class="title" x="{LEFT}" y="20">{escape(cost.title)}</text>'
    for size in sizes:
        yield f'<line class="grid" x1="{x(size):.1f}" x2="{x(size):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        yield f'<text x="{x(size):.1f}" y="{HEIGHT - 12}" text-anchor="middle">{size:,}</text>'
    for power in range(round(math.log10(low)), round(math.log10(high)) + 1):
        at = y(10.0**power)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
        yield f'<text x="{LEFT - 5}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g}</text>'
    if cost.wanted:
        at = y(cost.wanted)
        yield f'<line class="wanted" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
    for name, kind, points in lines:
        path = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in points)
        yield f'<polyline class="{kind}" stroke="{COLOURS[name]}" points="{path}"/>'


def _lines(cost: Cost, sizes: dict[str, Any]) -> Iterator[tuple[str, list[tuple[int, float]]]]:
    """Its middle and its 99th in a hundred, or the one figure that it is."""
    read = {int(size): reading[cost.name] for size, reading in sizes.items()}
    if all(isinstance(one, dict) for one in read.values()):
        yield "line", [(size, one["p50"]) for size, one in sorted(read.items())]
        yield "dashed", [(size, one["p99"]) for size, one in sorted(read.items())]
    else:
        yield "line", sorted(read.items())


def _between(value: float, low: float, high: float, first: float, last: float) -> float:
    """Where a value lies between two places, by its logarithm."""
    return first + (last - first) * math.log(value / low) / math.log(high / low)


def main() -> None:
    """Draw a run's results."""
    parser = argparse.ArgumentParser(prog="python -m bench.picture", description=__doc__)
    parser.add_argument("results", type=Path, help="what `python -m bench --only growth` wrote")
    parser.add_argument("out", type=Path, help="the picture (SVG)")
    options = parser.parse_args()
    found = json.loads(options.results.read_text(encoding="utf-8"))["details"]["growth"]
    options.out.write_text(picture(found), encoding="utf-8")


if __name__ == "__main__":
    main()
