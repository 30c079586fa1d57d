"""What Plazo is made of: the packages of the lock with their licences, as a page and as a CycloneDX bill of materials.

    python -m deploy.supply licences    docs/licences.md
    python -m deploy.supply sbom        build/sbom.json

Names, versions and who needs what come from `requirements.lock`, licences from the packages as installed.
"""

import json
import re
import sys
import tomllib
from dataclasses import dataclass
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).resolve().parent.parent
LOCK, WANTED, EXTRA = (HOUSE / name for name in ("requirements.lock", "requirements.in", "requirements-otel.in"))
PAGE, BILL = HOUSE / "docs" / "licences.md", HOUSE / "build" / "sbom.json"
TOOLS = "# tests and checks"
"""What stands below this line of `requirements.in` is not needed to run."""

UNSAID = {
    "imapclient": "BSD-3-Clause",  # says it in a file of its own alone
    "colorama": "BSD-3-Clause",  # the rest is for other platforms, and not installed everywhere
    "httpx2-jsfetch": "BSD-3-Clause",
    "tzdata": "Apache-2.0",
}
"""Licences of packages that do not say them where they are read."""

SPOKEN = {
    "2-Clause BSD": "BSD-2-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD License": "BSD-3-Clause",
    "Dual License": "Apache-2.0 OR BSD-3-Clause",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""Licences as packages write them, and their SPDX names."""

HEAD = """# Licences

Every package of `requirements.lock`, written by `make licences` and held to the lock by a test. Those marked *tool* are
needed to test and check alone; the image, made from the whole lock, holds them too.

| package | version | licence | for |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Package:
    """One entry of the lock; `needed_by` are packages, and empty for what we name ourselves alone."""

    name: str
    version: str
    needed_by: tuple[str, ...]


def packages() -> dict[str, Package]:
    """Read the lock, by name."""
    found: dict[str, Package] = {}
    for entry in re.split(r"\n(?=[A-Za-z0-9])", LOCK.read_text(encoding="utf-8")):
        head = re.match(r"([\w.-]+)(?:\[[\w,]+\])?==([^\s;\\]+)", entry)
        if head:
            names = re.findall(r"^    #(?: via|  ) +([\w.-]+)(?:\[[\w,]+\])?$", entry, flags=re.MULTILINE)
            found[head[1].lower()] = Package(head[1].lower(), head[2], tuple(names))
    return found


def needed_to_run(known: dict[str, Package]) -> set[str]:
    """Names of what Plazo needs to run, with everything that these need."""
    text = WANTED.read_text(encoding="utf-8").partition(TOOLS)[0]
    needed = _named(text + EXTRA.read_text(encoding="utf-8"))
    while True:
        more = {one.name for one in known.values() if needed.intersection(one.needed_by)} - needed
        if not more:
            return needed
        needed |= more


def _named(text: str) -> set[str]:
    return set(re.findall(r"^([a-z][\w.-]*)", text, flags=re.MULTILINE))


def licence(name: str) -> str:
    """Return a package's licence by its SPDX name. LookupError where it says none, or one that is not known here."""
    if name in UNSAID:
        return UNSAID[name]
    said = metadata(name)
    if said["License-Expression"]:
        return str(said["License-Expression"])
    spoken = str(said["License"] or "").partition("\n")[0].strip()
    classified = [line.rpartition(" :: ")[2] for line in said.get_all("Classifier", []) if line.startswith("License")]
    one: str
    for one in (spoken, *classified):
        if one in SPOKEN or re.fullmatch(r"(MIT|ISC|Unlicense|(Apache|BSD|MPL)-[\w.-]+)", one):
            return SPOKEN.get(one, one)
    raise LookupError(f"{name} names no licence that is known: {spoken or classified or 'none'}; look, and add it")


def page() -> str:
    """The page of licences."""
    known = packages()
    run = needed_to_run(known)
    rows = [
        f"| {one.name} | {one.version} | {licence(one.name)} | {'running' if one.name in run else 'tool'} |"
        for one in known.values()
    ]
    return HEAD + "\n".join(rows) + "\n"


def bill() -> dict[str, Any]:
    """The bill of materials in CycloneDX 1.6, without time and serial number: the same lock gives the same bill."""
    known = packages()
    run = needed_to_run(known)
    ours = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    refs = {one.name: f"pkg:pypi/{one.name}@{one.version}" for one in known.values()}
    depends = {
        ref: sorted(refs[one.name] for one in known.values() if name in one.needed_by) for name, ref in refs.items()
    }
    direct = sorted(refs[one] for one in _named(WANTED.read_text("utf-8") + EXTRA.read_text("utf-8")))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "name": ours["name"], "version": ours["version"], "bom-ref": "plazo"}
        },
        "components": [
            {
                "type": "library",
                "bom-ref": refs[one.name],
                "name": one.name,
                "version": one.version,
                "purl": refs[one.name],
                "scope": "required" if one.name in run else "excluded",
                "licenses": [{"expression": licence(one.name)}],
            }
            for one in known.values()
        ],
        "dependencies": [
            {"ref": "plazo", "dependsOn": direct},
            *({"ref": ref, "dependsOn": needs} for ref, needs in depends.items()),
        ],
    }


def main(wanted: list[str]) -> int:
    """Write what is asked for."""
    if wanted == ["licences"]:
        PAGE.write_text(page(), encoding="utf-8")
    elif wanted == ["sbom"]:
        BILL.parent.mkdir(exist_ok=True)
        BILL.write_text(json.dumps(bill(), indent=2) + "\n", encoding="utf-8")
    else:
        sys.stderr.write("say licences or sbom\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
