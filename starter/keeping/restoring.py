"""Putting a backup back, where nothing is: records under another name until they are complete, then the files."""

import contextlib
import shutil
from datetime import datetime
from pathlib import Path

from models.errors import SettingsError
from records import copying, migrate, restores
from records.copying import Progress, figures
from records.database import Database
from records.documents import FolderStore
from starter.keeping.manifest import chains_text
from starter.keeping.reading import Laid
from starter.keeping.taking import CHAINS, SAID_EVERY


def put_records(laid: Laid, url: str, at: datetime, told: Progress) -> None:
    """Fill the records beside their place (`records.copying.beside`), hold them against the manifest, migrate them.

    Raises SettingsError, RecordsUnavailable.
    """
    manifest = laid.manifest
    if manifest.migration > migrate.head():
        raise SettingsError(f"the backup stands at migration {manifest.migration}, which a later version made")
    copying.refuse_full(url)
    made = copying.beside(url)
    discard(made, url)
    copying.put_back(laid.records, made, told)
    found = figures(made)
    if found.counts != manifest.counts or chains_text(found.chains) != (laid.records.parent / CHAINS).read_bytes():
        raise SettingsError("what was put back is not what the manifest counts; take another backup")
    migrate.upgrade(made)
    database = Database(made)
    try:
        with database.write() as session:
            restores.add(session, manifest.taken_at, at)
    finally:
        database.close()


def put_files(laid: Laid, store: FolderStore, told: Progress) -> None:
    """Put the files back; those that are there already stay. Raises SettingsError."""
    try:
        for n, path in enumerate(sorted(laid.files.iterdir()), 1):
            place = store.folder / path.name[:2] / path.name
            if not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                beside = place.with_name(f".{path.name}.restoring")
                shutil.copyfile(path, beside)
                beside.replace(place)
            if n % SAID_EVERY == 0:
                told(f"files put back: {n}")
    except OSError as error:
        raise SettingsError(f"{store.folder}: a file cannot be put back ({error.strerror})") from None


def finish(made: str, url: str) -> None:
    """Let the records be found under their own name."""
    if made != url:
        copying.in_place(url, made)


def discard(made: str, url: str) -> None:
    """Remove what an attempt left that did not come to its end."""
    if made != url:
        file = Path(made.removeprefix("sqlite:///"))
        for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
            with contextlib.suppress(FileNotFoundError):
                file.with_name(name).unlink()
