"""What Plazo is made of: every package has a hash and a licence that may be used, and stands in the bill."""

import re
from pathlib import Path

from deploy.supply import LOCK, PAGE, bill, licence, needed_to_run, packages

KNOWN = packages()
FREE = {"MIT", "MIT-0", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ISC", "PSF-2.0", "Unlicense"}
OF_THEIR_FILES = {"MPL-2.0": {"certifi", "hypothesis", "pathspec"}, "LGPL-3.0-only": {"psycopg", "psycopg-binary"}}
"""Changes to these packages' own files would have to be published; using them binds nobody."""


def test_every_package_is_pinned_by_hash() -> None:
    text = LOCK.read_text(encoding="utf-8")
    assert len(KNOWN) == len(re.findall(r"^[A-Za-z0-9][^\n]*==", text, flags=re.MULTILINE)) > 90
    for entry in re.split(r"\n(?=[A-Za-z0-9])", text):
        assert "--hash=sha256:" in entry, entry
    assert "://" not in text


def test_the_page_of_licences_is_the_lock() -> None:
    rows = re.findall(
        r"^\| ([\w.-]+) \| ([\w.]+) \| ([^|]+) \| (running|tool) \|$", PAGE.read_text("utf-8"), re.MULTILINE
    )
    run = needed_to_run(KNOWN)
    wanted = [
        (one.name, one.version, licence(one.name), "running" if one.name in run else "tool") for one in KNOWN.values()
    ]
    assert rows == wanted, "write it anew: make licences"


def test_every_licence_may_be_used() -> None:
    for name in KNOWN:
        said = licence(name)
        assert set(re.split(r" (?:AND|OR) ", said)) <= FREE or name in OF_THEIR_FILES.get(said, set()), (
            f"{name}: {said}"
        )


def test_the_bill_holds_every_package_and_what_needs_it() -> None:
    made = bill()
    refs = {one["bom-ref"] for one in made["components"]}
    assert refs == {f"pkg:pypi/{one.name}@{one.version}" for one in KNOWN.values()}
    reached = {ref for one in made["dependencies"] for ref in one["dependsOn"]}
    assert reached == refs
    scopes = {one["name"]: one["scope"] for one in made["components"]}
    assert (scopes["temporalio"], scopes["nexus-rpc"], scopes["pytest"]) == ("required", "required", "excluded")
    assert made["metadata"]["component"]["name"] == "plazo"
    assert str(Path.home()) not in str(made)
