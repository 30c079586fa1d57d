"""The trial every template stands when it is loaded: every way it can be rendered must print what it has to."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from activities.letters.fields import ALLOWED, DETAILED, FIELDS, REQUIRED
from activities.letters.markup import Slots
from activities.letters.templates import Templates


@dataclass
class Trial:
    """Values that are all slots, and the slots that each field's path has."""

    slots: Slots = field(default_factory=Slots)
    values: dict[str, str | list[dict[str, str]]] = field(default_factory=dict)
    paths: dict[str, list[int]] = field(default_factory=dict)

    def slot(self, path: str) -> str:
        """A new slot for this path."""
        self.paths.setdefault(path, []).append(len(self.slots.values))
        return self.slots.put(path)


def stand(templates: Templates, name: str) -> None:
    """Render a template every way it can turn out.

    Raises PolicyError naming the field that would be left out, or be posted where everybody can read it.
    """
    source, used, required = templates.source(name), templates.used(name), REQUIRED[name]
    for path in sorted(used - ALLOWED.get(name, used)):
        raise source.mistake("everybody can read this letter; leave it out", key=path, line=source.body_line)
    for path in required:
        if path.partition(".")[0] not in used:
            raise source.mistake("must be in this letter; add it", key=path, line=source.body_line)
    for trial in _trials(used):
        printed = trial.slots.used(templates.body(name, trial.values))
        for path in required:
            if any(number not in printed for number in trial.paths.get(path, ())):
                raise source.mistake(
                    "must be in this letter whenever there is one; a loop or condition leaves it out",
                    key=path,
                    line=source.body_line,
                )


def _trials(used: frozenset[str]) -> Iterator[Trial]:
    """Everything there; each group absent; each code by turns."""
    yield _trial()
    for group in sorted({FIELDS[name].absent for name in used} - {""}):
        yield _trial(absent=group)
    for name in sorted(used):
        for code in FIELDS[name].codes[1:]:
            yield _trial(codes={name: code})


def _trial(absent: str = "", codes: dict[str, str] | None = None) -> Trial:
    trial = Trial()
    for name, shape in FIELDS.items():
        if shape.codes:
            trial.values[name] = (codes or {}).get(name, shape.codes[0])
        elif shape.parts:
            trial.values[name] = [_row(trial, name, shape.parts, code) for code in shape.part_codes or ("", "")]
        else:
            gone = shape.instead_of != absent if shape.instead_of else "" != shape.absent == absent
            trial.values[name] = "" if gone else trial.slot(name)
    return trial


def _row(trial: Trial, name: str, parts: tuple[str, ...], code: str) -> dict[str, str]:
    row = {"code": code}
    for part in parts:
        untold = part == "detail" and code not in DETAILED
        row[part] = "" if untold else trial.slot(f"{name}.{part}")
    return row
