"""What people wrote, and the files that came with messages."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from models.errors import RecordsUnavailable, UnknownInquiry
from records import cases, documents
from records.database import Database
from records.documents import FolderStore
from tests.cases import AGENT, new_case
from tests.records.mail import NOW

FINAL = {
    "points": [{"point": "El retiro no llegó", "answer": "Se acreditó el 3 de febrero"}],
    "actions": ["Revisamos la cadena"],
    "reasons": "",
    "remedy": {"what": "Comisión devuelta", "amount": "2.50 USD", "by": "2026-03-01"},
}


@pytest.mark.rule("M3.8")
def test_a_draft_travels_as_id_digest_and_what_is_filled(database: Database) -> None:
    case, other = new_case(), new_case(reference="RX-2222-2222").model_copy(update={"salt": "11" * 16})
    with database.write() as session:
        for n, one in enumerate((case, other)):
            cases.add(session, one, subject="", excerpt="", status_token=str(n))
        first = documents.save_draft(session, case.reference, "resolve", FINAL, author=AGENT, now=NOW)
        same = documents.save_draft(session, case.reference, "resolve", FINAL, author=AGENT, now=NOW)
        salted = documents.save_draft(session, other.reference, "resolve", FINAL, author=AGENT, now=NOW)
    assert first.filled == ("points", "actions", "remedy")
    assert first.id.startswith("dr_")
    assert first.id != same.id
    assert first.digest == same.digest != salted.digest
    assert "retiro" not in first.model_dump_json().lower()
    with database.read() as session:
        stored = documents.draft(session, first.id)
        assert (stored.reference, stored.kind, stored.content) == (case.reference, "resolve", FINAL)
        with pytest.raises(KeyError, match="dr_none"):
            documents.draft(session, "dr_none")


def test_a_draft_needs_its_case_and_real_numbers(database: Database) -> None:
    with database.write() as session, pytest.raises(UnknownInquiry, match="RX-NONE"):
        documents.save_draft(session, "RX-NONE", "reply", {"text": "x"}, author=AGENT, now=NOW)
    with database.write() as session:
        cases.add(session, new_case(), subject="", excerpt="", status_token="t")
        with pytest.raises(ValueError, match="JSON"):
            documents.save_draft(session, "RX-7KQ4-M2PD", "reply", {"text": float("nan")}, author=AGENT, now=NOW)


@pytest.mark.parametrize(
    ("content", "filled"),
    [
        ({"text": "Hola"}, ("text",)),
        ({"text": " \n\t"}, ()),
        ({"text": None}, ()),
        ({"points": []}, ()),
        ({"points": [{"point": "a", "answer": "b"}, {"point": "c", "answer": " "}]}, ()),
        ({"points": [{"point": "", "answer": "b"}]}, ()),
        ({"points": [{"point": "a"}]}, ()),
        ({"points": [{"point": "a", "answer": "b", "why": ""}]}, ("points",)),
        ({"items": [{"item": "a", "why": "b"}]}, ("items",)),
        ({"items": [{"item": "a", "why": ""}]}, ()),
        ({"actions": ["a", ""]}, ()),
        ({"actions": ["a", "b"], "reasons": "c"}, ("actions", "reasons")),
        ({"remedy": {"what": "", "amount": "1"}}, ()),
        ({"remedy": {}}, ()),
        ({"where_else": {"name": "", "note": "x"}}, ("where_else",)),
        ({"where_else": {"name": " "}}, ()),
        ({"count": 0}, ("count",)),
        ({}, ()),
    ],
)
def test_only_what_says_something_is_filled(content: dict[str, Any], filled: tuple[str, ...]) -> None:
    assert documents.filled(content) == filled


def test_a_file_is_kept_once_under_its_hash(files: FolderStore) -> None:
    content = bytes(range(256)) * 1000
    with ThreadPoolExecutor(8) as pool:
        kept = set(pool.map(files.put, [content] * 16))
    assert kept == {(hashlib.sha256(content).hexdigest(), next(iter(kept)).path, 256_000)}
    assert [path.is_file() for path in files.folder.glob("*/*")] == [True]
    with files.open(next(iter(kept)).path) as file:
        assert file.read() == content


@pytest.mark.parametrize(
    "path", ["", "..", "../x", "ab/../../etc/passwd", "/etc/passwd", "ab/" + "ab" * 32, "x/" + "é" * 64]
)
def test_a_path_that_is_not_ours_opens_nothing(files: FolderStore, path: str) -> None:
    files.put(b"x")
    with pytest.raises(KeyError):
        files.open(path)


def test_a_store_that_cannot_write_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "documents").write_bytes(b"a file in the way")
    files = FolderStore(tmp_path / "documents")
    with pytest.raises(RecordsUnavailable, match="could not be kept"):
        files.put(b"x")
    with pytest.raises(RecordsUnavailable, match="could not be read"):
        files.open("ab/ab" + "0" * 62)


def test_half_a_file_is_never_seen(files: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("records.documents.os.fsync", fail)
        with pytest.raises(RecordsUnavailable, match="No space"):
            files.put(b"x" * 1000)
    assert [path for path in files.folder.rglob("*") if path.is_file()] == []
    assert files.put(b"x" * 1000).size == 1000
