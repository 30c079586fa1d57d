"""A backup is whole or refused, and goes nowhere but where nothing is."""

import gzip
import io
import json
import tarfile
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from models.errors import LedgerError, SettingsError
from models.inquiry import EMAIL, Address
from models.letters import Letter, LetterKind
from records import cases, contacts, ledger, rebuilding, restores
from records.copying import Chain, copy_out, put_back
from records.database import Database
from records.documents import FolderStore
from records.migrate import upgrade
from starter.keeping.manifest import chains_text, read_manifest
from starter.keeping.rebuilding import Rebuilt
from starter.keeping.taking import take
from starter.keeping.telling import words
from tests.cases import MONDAY, new_case
from tests.databases import Template
from tests.keeping.house import Plazo
from tests.lives import ring

OTHER = "other:" + "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="


def silent(_line: str) -> None:
    """No word of progress."""


@pytest.fixture
def plazo(tmp_path: Path, records_url: str) -> Plazo:
    case, files = new_case(MONDAY), FolderStore(tmp_path / "documents")
    database = Database(records_url)
    with database.write() as session:
        cases.add(session, case, subject="Retiro de ana.canary", excerpt="", status_token="t")
        ledger.append(session, case.seal())
        cases.project(session, case)
    database.close()
    files.put(b"a file" * 400_000)
    return Plazo(tmp_path, records_url)


@pytest.fixture
def backup(plazo: Plazo, tmp_path: Path) -> Path:
    place = tmp_path / "kept.backup"
    plazo.run("backup", str(place))
    return place


def test_a_sealed_backup_shows_nothing_and_a_plain_one_is_a_common_archive(plazo: Plazo, tmp_path: Path) -> None:
    sealed, plain = tmp_path / "sealed", tmp_path / "plain"
    assert "sealed with the key test" in plazo.run("backup", str(sealed))
    assert "not sealed" in plazo.run("backup", str(plain), "--plain")
    assert sealed.stat().st_mode & 0o777 == 0o600
    assert b"canary" not in sealed.read_bytes()
    with pytest.raises(gzip.BadGzipFile):
        gzip.decompress(sealed.read_bytes())
    with tarfile.open(plain) as archive:
        names = archive.getnames()
        told = archive.extractfile("manifest.json")
        manifest = json.loads(told.read()) if told else {}
    assert names[-1] == "manifest.json"
    assert manifest["counts"]["cases"] == 1
    assert manifest["counts"]["events"] > 0
    assert (manifest["files"], manifest["absent"]) == (1, 0)
    for file in (sealed, plain):
        assert "at migration" in plazo.run("restore", str(file), "--check")
        assert plazo.data("restore", str(file), "--check")["counts"] == manifest["counts"]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_backup_never_takes_the_place_of_something(plazo: Plazo, backup: Path, tmp_path: Path) -> None:
    before = backup.read_bytes()
    assert "is there already" in plazo.run("backup", str(backup), code=2)
    assert backup.read_bytes() == before
    assert "no such folder" in plazo.run("backup", str(tmp_path / "none" / "b"), code=2)


@pytest.mark.parametrize(
    ("where", "said"),
    [(0, "no backup of ours"), (30, "no backup of ours|sealed with"), (400, "damaged"), (-1, "damaged")],
)
def test_what_was_changed_anywhere_is_refused(plazo: Plazo, backup: Path, where: int, said: str) -> None:
    whole = bytearray(backup.read_bytes())
    whole[where] ^= 0x55
    backup.write_bytes(whole)
    assert any(part in plazo.run("restore", str(backup), "--check", code=2) for part in said.split("|"))


@pytest.mark.parametrize("left", [10, 500, -1, -16, -17])
def test_what_was_cut_off_is_refused(plazo: Plazo, backup: Path, left: int) -> None:
    backup.write_bytes(backup.read_bytes()[:left])
    said = plazo.run("restore", str(backup), "--check", code=2)
    assert "damaged" in said or "no backup of ours" in said


def test_a_backup_wants_the_key_it_was_sealed_with(plazo: Plazo, backup: Path, tmp_path: Path) -> None:
    assert "sealed with the key test" in plazo.run("restore", str(backup), "--check", code=2, PLAZO_KEYS=OTHER)
    assert "no such file" in plazo.run("restore", str(tmp_path / "none"), code=2)


def archive_of(plain: Path, **changed: bytes | None) -> None:
    """Write a plain backup anew with parts changed or left out."""
    with tarfile.open(plain) as archive:
        parts = {one.name: (archive.extractfile(one) or io.BytesIO()).read() for one in archive}
    with tarfile.open(plain, "w:gz") as archive:
        for name, content in {**parts, **changed}.items():
            if content is not None:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))


def test_a_plain_backup_is_held_against_its_manifest(plazo: Plazo, tmp_path: Path) -> None:
    file = tmp_path / "plain"
    for changed, said in (
        ({"chains.tsv": b"RX-7KQ4-M2PD\t1\tab\n"}, "not what its manifest says"),
        ({"documents/" + "a" * 64: b"other"}, "not what its manifest says"),
        ({"manifest.json": None}, "no manifest"),
        ({"manifest.json": b"{}"}, "cannot be read"),
        ({"chains.tsv": None}, "lacks a part"),
        ({"../elsewhere": b""}, "no part of one"),
        ({"documents/../../x": b""}, "no part of one"),
    ):
        file.unlink(missing_ok=True)
        plazo.run("backup", str(file), "--plain")
        archive_of(file, **changed)
        assert said in plazo.run("restore", str(file), "--check", code=2)


def test_a_manifest_of_a_later_version_is_refused(plazo: Plazo, backup: Path) -> None:
    manifest = plazo.data("restore", str(backup), "--check")
    with pytest.raises(SettingsError, match="later than this version"):
        read_manifest(json.dumps(manifest | {"format": 2}).encode())


def test_without_temporal_nothing_is_put_back_unless_it_is_said_to_be_lost(
    plazo: Plazo, backup: Path, blank_records: Template, tmp_path: Path
) -> None:
    plazo.records_url = blank_records.fresh(tmp_path)
    plazo.run("restore", str(backup), code=3)
    assert not (tmp_path / "new").exists()
    assert "not known to anybody" in plazo.run("restore", str(backup), "--temporal-lost")
    plazo.run("verify", "--all")
    database = Database(plazo.records_url)
    with database.read() as session:
        case = cases.load(session, "RX-7KQ4-M2PD")
        assert restores.since(session, case.opened_at)
        assert not restores.since(session, restores.last(session).at + timedelta(seconds=1))  # type: ignore[union-attr]
    database.close()
    assert "there are records" in plazo.run("restore", str(backup), "--temporal-lost", code=2)


def test_records_that_were_never_put_back_are_compared_only_on_request(plazo: Plazo) -> None:
    assert "never put back" in plazo.run("rebuild", code=2)
    assert "no Temporal server" in plazo.run("rebuild", "--since", "2026-01-01", code=3)


def test_a_backup_of_a_later_version_or_of_the_other_database_is_refused(
    plazo: Plazo, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blank_records: Template
) -> None:
    plazo.records_url = blank_records.fresh(tmp_path)
    monkeypatch.setattr("records.migrate.head", lambda: "0000")
    assert "later version" in plazo.run("restore", str(backup), "--temporal-lost", code=2)
    file = tmp_path / ("records.pgdump" if plazo.records_url.startswith("sqlite") else "records.sqlite3")
    file.touch()
    with pytest.raises(SettingsError, match="let PLAZO_RECORDS_URL name such"):
        put_back(file, plazo.records_url, silent)


def test_records_that_are_not_there_are_not_copied(plazo: Plazo, tmp_path: Path, blank_records: Template) -> None:
    plazo.records_url = blank_records.fresh(tmp_path)
    plazo.run("backup", str(tmp_path / "b"), code=3)
    assert not (tmp_path / "b").exists()
    assert not list(tmp_path.glob(".*"))


def test_a_file_that_the_records_name_and_nobody_has_is_counted(plazo: Plazo, tmp_path: Path) -> None:
    database = Database(plazo.records_url)
    with database.write() as session:
        session.connection().execute(
            text(
                "INSERT INTO messages (id, channel, provider_id, sender, sender_name, sender_verified, third_party,"
                " received_at, stored_at, disposition, disposition_reason, subject, text, full_text, message_id,"
                ' in_reply_to, "references", kind, dropped, raw_sha256, raw_path, part_of, edit_of, album,'
                " public_place, unreadable) VALUES ('ms_1', 'email', 'p', '', '', false, false, :at, :at, '', '', '',"
                " '', '', '', '', '', '', '[]', 'x', 'gone/gone', '', '', '', '', '')"
            ),
            {"at": MONDAY},
        )
    database.close()
    assert "1 more named and not there" in plazo.run("backup", str(tmp_path / "b"))


def test_without_the_programs_of_postgresql_it_says_what_to_install(
    postgresql: object, blank_on_postgresql: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = blank_on_postgresql.copy(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match="pg_dump is not on this machine's path; install"):
        copy_out(url, tmp_path, silent)
    with pytest.raises(SettingsError, match="pg_restore is not on"):
        put_back(tmp_path / "records.pgdump", blank_on_postgresql.fresh(tmp_path), silent)


def test_a_database_in_use_is_not_filled(blank_on_postgresql: Template, tmp_path: Path) -> None:
    used = blank_on_postgresql.fresh(tmp_path)
    database = Database(used)
    with database.read() as session:
        session.connection()
        with pytest.raises(SettingsError, match="somebody is connected"):
            put_back(tmp_path / "records.pgdump", used, silent)
    database.close()
    with pytest.raises(SettingsError, match="there are records"):
        put_back(tmp_path / "records.pgdump", blank_on_postgresql.copy(tmp_path), silent)


def test_a_copy_is_one_moment_while_others_write(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'busy.db'}"
    upgrade(url)
    database = Database(url)
    written: list[int] = []

    def write(_line: str) -> None:
        with database.write() as session:
            contacts.add(session, MONDAY)
        written.append(1)

    copy = copy_out(url, tmp_path, write)
    assert written
    assert copy.figures.counts["contacts"] == 0
    database.close()


def test_events_that_do_not_lead_to_the_case_are_refused(database: Database, tmp_path: Path) -> None:
    case = new_case(MONDAY)
    with database.write() as session:
        cases.add(session, case, subject="", excerpt="", status_token="t")
    case.seal()
    with pytest.raises(LedgerError, match="does not lead"), database.write() as session:
        rebuilding.bring_up(session, case, (), FolderStore(tmp_path), MONDAY)


def test_a_letter_whose_words_are_lost_is_named(database: Database, tmp_path: Path) -> None:
    case = new_case(MONDAY, addresses=(Address(id="ad_gone", channel=EMAIL),))
    case.letters.append(
        Letter(key="k", kind=LetterKind.REPLY, address=case.address(), created_at=MONDAY, draft="dr_gone")
    )
    facts = tuple(case.pending)
    case.seal()
    with database.write() as session:
        restores.add(session, MONDAY, MONDAY + timedelta(hours=1))
        loss = rebuilding.bring_up(session, case, facts, FolderStore(tmp_path), MONDAY)
    assert (loss.unwritable, loss.addresses, loss.missing) == (("k",), 1, True)
    assert "k" in loss.unsure
    said = "\n".join(words(Rebuilt(1, (loss,), {"RX-2222-2222": "why"})))
    for part in ("after the backup", "cannot be written", "may have left", "give the inquiry an address", "why"):
        assert part in said
    assert "nothing was lost" in "\n".join(words(Rebuilt(1, (), {})))


def test_chains_are_written_one_a_line() -> None:
    assert chains_text([Chain("RX-7KQ4-M2PD", 2, "ab")]) == b"RX-7KQ4-M2PD\t2\tab\n"


def test_a_disk_that_is_full_leaves_nothing_behind(
    plazo: Plazo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("starter.keeping.taking._fill", full)
    place = tmp_path / "b"
    with pytest.raises(SettingsError, match="No space left"):
        take(plazo.records_url, tmp_path / "documents", place, ring(), at=MONDAY, told=silent)
    assert not place.exists()
    assert not list(tmp_path.glob(".*"))
